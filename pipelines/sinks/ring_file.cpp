// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "ring_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

#include "errors.hpp"
#include "files.hpp"

namespace pamtri::sinks {

using core::InputError;

namespace {

constexpr char kMagic[8] = {'P', 'A', 'M', 'T', 'S', 'P', 'L', '1'};
constexpr std::uint64_t kHeadSize = 4096;
constexpr std::uint64_t kSlots[2] = {64, 128};
constexpr std::uint64_t kOwner = 256;
constexpr std::size_t kOwnerSize = 128;
constexpr std::uint32_t kRecordMagic = 0x4345'5250;  // "PREC"
constexpr std::uint64_t kRoomKept = 1 << 20;         // bytes that an emptied file may keep

/// Numbers lie in the byte order of the machine; a spool does not travel.
struct RecordHead {
    std::uint32_t magic;
    std::uint32_t sum;  ///< of all behind it
    std::uint64_t offset;
    std::uint32_t key_size;
    std::uint32_t payload_size;
};
static_assert(sizeof(RecordHead) == 24);
constexpr std::size_t kSummed = offsetof(RecordHead, offset);

struct Mark {
    std::uint64_t stamp;
    std::uint64_t offset;
    std::uint64_t sum;
};

std::uint64_t sum_of(const Mark& mark) {
    return checksum(reinterpret_cast<const char*>(&mark), offsetof(Mark, sum));
}

}  // namespace

std::uint64_t RingFile::size_of(const std::string& key, const std::string& payload) {
    return sizeof(RecordHead) + key.size() + payload.size();
}

RingFile::RingFile(const std::string& path, std::uint64_t capacity, const Found& found)
    : path_(path) {
    capacity_ = capacity;
    lock();
    try {
        std::remove((path_ + ".resized").c_str());  // left by a kill; ours, since the lock is
        read_head();
        if (capacity_ != capacity) resize(capacity);
        scan(found);
    } catch (...) {
        ::close(file_);
        throw;
    }
}

RingFile::~RingFile() {
    sync();
    const char nobody[kOwnerSize] = {};
    write_at(file_, nobody, sizeof nobody, kOwner);
    ::close(file_);
}

void RingFile::lock() {
    const std::string whose = "the spool " + path_;
    while (true) {
        file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (file_ < 0) throw InputError(whose + " cannot be opened: " + word_of(errno) + ".");
        struct stat facts{};
        if (fstat(file_, &facts) != 0 || !S_ISREG(facts.st_mode)) {
            ::close(file_);
            throw InputError(whose + " is no regular file; give another name.");
        }
        if (const int error = lock_file(file_)) {
            char owner[kOwnerSize + 1] = {};
            read_at(file_, owner, kOwnerSize, kOwner);
            ::close(file_);
            if (error != EWOULDBLOCK) {
                throw InputError(whose + " cannot be locked: " + word_of(error) +
                                 "; give a file on a local disk.");
            }
            throw InputError(whose + " is in use by " + (owner[0] ? owner : "another process") +
                             "; give each sink a spool of its own, or wait for it to end.");
        }
        if (is_at(file_, path_)) return;
        ::close(file_);  // between open and lock its owner put a resized one in its place
    }
}

void RingFile::read_head() {
    struct stat facts{};
    fstat(file_, &facts);
    const auto size = static_cast<std::uint64_t>(facts.st_size);
    char head[kHeadSize] = {};
    read_at(file_, head, std::min(size, kHeadSize), 0);
    const std::size_t magic = std::min<std::size_t>(size, sizeof kMagic);
    if (std::memcmp(head, kMagic, magic) != 0) {
        throw InputError(
            "the spool " + path_ +
            " is a file of another kind; give a name that is free, or that of a spool.");
    }
    if (size < kHeadSize) {  // new, or cut while it was made: no record was ever in it
        if (ftruncate(file_, 0) != 0)
            throw InputError("the spool " + path_ + " cannot be written.");
        write_head();
        return;
    }
    std::uint64_t fields[2];
    std::memcpy(fields, head + sizeof kMagic, sizeof fields);
    bool marked = false;
    for (const std::uint64_t slot : kSlots) {
        Mark mark;
        std::memcpy(&mark, head + slot, sizeof mark);
        if (mark.sum != sum_of(mark) || (marked && mark.stamp < stamp_)) continue;
        marked = true;
        stamp_ = mark.stamp;
        tail_ = head_ = mark.offset;
    }
    if (fields[1] != checksum(head + sizeof kMagic, sizeof fields[0]) || fields[0] == 0 ||
        !marked) {
        throw InputError(
            "the spool " + path_ +
            " has a damaged head, so that its events cannot be found; remove it to begin anew.");
    }
    capacity_ = fields[0];
    const std::string owner = this_process();
    char text[kOwnerSize] = {};
    owner.copy(text, kOwnerSize - 1);
    write_at(file_, text, sizeof text, kOwner);
}

void RingFile::write_head() {
    char head[kHeadSize] = {};
    std::memcpy(head, kMagic, sizeof kMagic);
    const std::uint64_t fields[2] = {
        capacity_, checksum(reinterpret_cast<const char*>(&capacity_), sizeof capacity_)};
    std::memcpy(head + sizeof kMagic, fields, sizeof fields);
    for (int slot = 0; slot < 2; ++slot) {
        Mark mark{++stamp_, tail_, 0};
        mark.sum = sum_of(mark);
        std::memcpy(head + kSlots[stamp_ % 2], &mark, sizeof mark);
    }
    this_process().copy(head + kOwner, kOwnerSize - 1);
    if (const int error = write_at(file_, head, sizeof head, 0)) {
        throw InputError("the spool " + path_ + " cannot be written: " + word_of(error) + ".");
    }
}

bool RingFile::write_mark(std::uint64_t offset) {
    Mark mark{stamp_ + 1, offset, 0};
    mark.sum = sum_of(mark);
    if (write_at(file_, reinterpret_cast<const char*>(&mark), sizeof mark,
                 kSlots[mark.stamp % 2])) {
        return false;
    }
    stamp_ = mark.stamp;
    tail_ = offset;
    dirty_ = true;
    return true;
}

bool RingFile::read_ring(std::uint64_t offset, char* to, std::uint64_t size) const {
    const std::uint64_t at = offset % capacity_;
    const std::uint64_t first = std::min(size, capacity_ - at);
    return read_at(file_, to, first, kHeadSize + at) &&
           (first == size || read_at(file_, to + first, size - first, kHeadSize));
}

/// Everything of the record at an offset, if a whole one begins there and ends before `limit`.
std::optional<std::string> RingFile::record_at(std::uint64_t offset, std::uint64_t limit) const {
    RecordHead head;
    if (offset + sizeof head > limit ||
        !read_ring(offset, reinterpret_cast<char*>(&head), sizeof head) ||
        head.magic != kRecordMagic || head.offset != offset) {
        return std::nullopt;
    }
    const std::uint64_t size = sizeof head + std::uint64_t{head.key_size} + head.payload_size;
    if (size > limit - offset) return std::nullopt;
    std::string record(size, '\0');
    if (!read_ring(offset, record.data(), size) ||
        head.sum != checksum(record.data() + kSummed, size - kSummed)) {
        return std::nullopt;
    }
    return record;
}

/// Where the next whole record begins behind a damaged one; `limit` if there is none.
std::uint64_t RingFile::next_whole(std::uint64_t offset, std::uint64_t limit) const {
    std::vector<char> bytes(1 << 16);
    constexpr std::size_t kOverlap = sizeof kRecordMagic - 1;
    while (offset < limit) {
        std::uint64_t size = std::min<std::uint64_t>(bytes.size(), limit - offset);
        while (size > 0 && !read_ring(offset, bytes.data(), size))
            size /= 2;  // the file may end before
        if (size <= kOverlap) return limit;
        for (std::size_t i = 0; i + kOverlap < size; ++i) {
            std::uint32_t magic;
            std::memcpy(&magic, bytes.data() + i, sizeof magic);
            if (magic == kRecordMagic && record_at(offset + i, limit)) return offset + i;
        }
        offset += size - kOverlap;
    }
    return limit;
}

void RingFile::scan(const Found& found) {
    const std::uint64_t limit = tail_ + capacity_;
    std::uint64_t at = tail_;
    while (at < limit) {
        const std::optional<std::string> record = record_at(at, limit);
        if (!record) {
            // A kill cuts the last record; behind one that the disk damaged there are others.
            const std::uint64_t next = next_whole(at + 1, limit);
            if (next == limit) break;
            ++lost_;
            at = next;
            continue;
        }
        RecordHead head;
        std::memcpy(&head, record->data(), sizeof head);
        if (found) found({at, record->size()}, record->substr(sizeof head, head.key_size));
        at += record->size();
        head_ = at;
    }
}

void RingFile::resize(std::uint64_t capacity) {
    std::vector<Place> places;
    scan([&](const Place& place, const std::string&) { places.push_back(place); });
    const std::string draft = path_ + ".resized";
    {
        RingFile resized(draft, capacity, nullptr);
        std::uint64_t total = 0;
        auto first = places.end();
        while (first != places.begin() && total + std::prev(first)->size <= capacity) {
            total += (--first)->size;
        }
        lost_ += static_cast<std::uint64_t>(first - places.begin());
        for (auto place = first; place != places.end(); ++place) {
            const std::optional<std::string> record = record_at(place->offset, head_);
            if (!record) continue;
            RecordHead head;
            std::memcpy(&head, record->data(), sizeof head);
            Place written;
            const auto error = resized.append(record->substr(sizeof head, head.key_size),
                                              record->substr(sizeof head + head.key_size), written);
            if (error) {
                std::remove(draft.c_str());
                throw InputError("the spool " + path_ + " cannot be brought to another size: " +
                                 error->why + "; give the size that it had.");
            }
        }
        resized.dirty_ = true;
        resized.sync();
        if (std::rename(draft.c_str(), path_.c_str()) != 0) {
            throw InputError("the spool " + path_ +
                             " cannot be brought to another size: " + word_of(errno) + ".");
        }
        // The new file was locked before it had this name, so nobody else can have come in between.
        std::swap(file_, resized.file_);
        capacity_ = capacity;
        tail_ = resized.tail_;
        stamp_ = resized.stamp_;
        head_ = tail_;
    }
    const std::string owner = this_process();
    write_at(file_, owner.c_str(), owner.size() + 1, kOwner);
}

std::optional<WriteError> RingFile::append(const std::string& key, const std::string& payload,
                                           Place& place) {
    RecordHead head{kRecordMagic, 0, head_, static_cast<std::uint32_t>(key.size()),
                    static_cast<std::uint32_t>(payload.size())};
    std::string record(sizeof head, '\0');
    record.reserve(size_of(key, payload));
    record += key;
    record += payload;
    std::memcpy(record.data(), &head, sizeof head);
    head.sum = checksum(record.data() + kSummed, record.size() - kSummed);
    std::memcpy(record.data(), &head, sizeof head);
    if (record.size() > capacity_ - used()) return WriteError{"no room in it"};
    const std::uint64_t at = head_ % capacity_;
    const std::uint64_t first = std::min<std::uint64_t>(record.size(), capacity_ - at);
    int error = write_at(file_, record.data(), first, kHeadSize + at);
    if (error == 0 && first < record.size()) {
        error = write_at(file_, record.data() + first, record.size() - first, kHeadSize);
    }
    if (error != 0) return WriteError{word_of(error)};
    place = {head_, record.size()};
    head_ += record.size();
    dirty_ = true;
    return std::nullopt;
}

std::optional<std::string> RingFile::read(const Place& place) const {
    const std::optional<std::string> record = record_at(place.offset, place.offset + place.size);
    if (!record) return std::nullopt;
    RecordHead head;
    std::memcpy(&head, record->data(), sizeof head);
    return record->substr(sizeof head + head.key_size);
}

void RingFile::forget(std::uint64_t offset) {
    struct stat facts{};
    const bool large = offset == head_ && fstat(file_, &facts) == 0 &&
                       static_cast<std::uint64_t>(facts.st_size) > kHeadSize + kRoomKept;
    if (!large) {
        if (offset != tail_) write_mark(offset);
        return;
    }
    // All is gone: go on at the ring's begin, and give the disk its room back.
    const std::uint64_t begin = (head_ / capacity_ + 1) * capacity_;
    if (write_mark(begin)) {
        head_ = begin;
        if (ftruncate(file_, static_cast<off_t>(kHeadSize)) != 0)
            return;  // it stays as large as it is
    }
}

void RingFile::sync() {
    if (dirty_.exchange(false)) fdatasync(file_);
}

}  // namespace pamtri::sinks
