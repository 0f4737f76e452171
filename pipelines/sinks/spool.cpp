// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "spool.hpp"

#include <utility>

namespace pamtri::sinks {

Spool::Spool(const SpoolSpec& spec) : spec_(spec) {
    if (spec_.path.empty()) return;
    const auto found = [this](const RingFile::Place& place, std::string key) {
        entries_.push_back({State::kWaiting, std::move(key), place, std::nullopt});
        waiting_.insert(first_ + entries_.size() - 1);
    };
    file_ = std::make_unique<RingFile>(spec_.path, spec_.most_bytes, found);
    live_ = earlier_ = entries_.size();
    dropped_ = file_->lost();
}

Spool::Entry* Spool::at(Id id) {
    if (id < first_ || id - first_ >= entries_.size()) return nullptr;
    Entry& entry = entries_[id - first_];
    return entry.state == State::kDone ? nullptr : &entry;
}

void Spool::append(const std::string& key, const std::string& payload) {
    settle();
    const Id id = first_ + entries_.size();
    Entry entry;
    entry.key = key;
    if (!file_ || !memory_.empty() || !append_to_file(entry, payload)) {
        const std::uint64_t size = RingFile::size_of(key, payload);
        const bool may = !file_ || !problem_.empty();
        if (!may || !make_memory_room(size, file_ ? spec_.fallback_bytes : spec_.most_bytes)) {
            ++dropped_;
            return;
        }
        entry.payload = payload;
        memory_bytes_ += size;
        memory_.insert(id);
    }
    entries_.push_back(std::move(entry));
    waiting_.insert(id);
    ++live_;
    release();
}

void Spool::settle() {
    while (file_ && !memory_.empty()) {
        Entry& entry = *at(*memory_.begin());
        if (!append_to_file(entry, *entry.payload)) return;
        memory_bytes_ -= RingFile::size_of(entry.key, *entry.payload);
        entry.payload.reset();
        memory_.erase(memory_.begin());
    }
}

bool Spool::append_to_file(Entry& entry, const std::string& payload) {
    if (!make_file_room(RingFile::size_of(entry.key, payload))) return false;
    if (const auto error = file_->append(entry.key, payload, entry.place)) {
        problem_ = "the spool " + spec_.path + " cannot be written: " + error->why +
                   "; events wait in memory";
        return false;
    }
    problem_.clear();
    return true;
}

bool Spool::make_file_room(std::uint64_t size) {
    if (size > file_->capacity()) return false;
    for (Id id = first_; file_->capacity() - file_->used() < size;) {
        // Room is freed at the file's begin alone, whoever is there: also one that is out, whose
        // acknowledgement may still come.
        while (at(id) == nullptr && id < first_ + entries_.size()) ++id;
        if (!spec_.drop_oldest || at(id) == nullptr || at(id)->payload) return false;
        give_up(id);
        release();
    }
    return true;
}

bool Spool::make_memory_room(std::uint64_t size, std::uint64_t most) {
    if (size > most) return false;
    while (memory_bytes_ + size > most) {
        if (!spec_.drop_oldest || memory_.empty()) return false;
        give_up(*memory_.begin());
    }
    return true;
}

std::optional<Message> Spool::take(Id id) {
    Entry* entry = at(id);
    if (entry == nullptr || entry->state != State::kWaiting) return std::nullopt;
    waiting_.erase(id);
    entry->state = State::kOut;
    std::optional<std::string> payload =
        entry->payload ? entry->payload : file_->read(entry->place);
    if (!payload) {
        drop(id);
        return std::nullopt;
    }
    return Message{id, entry->key, std::move(*payload)};
}

bool Spool::put_back(Id id) {
    Entry* entry = at(id);
    if (entry == nullptr) return false;
    entry->state = State::kWaiting;
    waiting_.insert(id);
    return true;
}

bool Spool::done(Id id) {
    if (at(id) == nullptr) {
        --dropped_;  // it was given up for its room, and arrived all the same
        return false;
    }
    finish(id);
    release();
    return true;
}

void Spool::drop(Id id) {
    if (at(id) == nullptr) return;
    give_up(id);
    release();
}

void Spool::give_up(Id id) {
    ++dropped_;
    finish(id);
}

void Spool::finish(Id id) {
    Entry& entry = *at(id);
    entry.state = State::kDone;
    waiting_.erase(id);
    --live_;
    if (entry.payload) {
        memory_.erase(id);
        memory_bytes_ -= RingFile::size_of(entry.key, *entry.payload);
        entry.payload.reset();
    }
}

/// Let go of what is done at the begin of the queue, and of its room in the file.
void Spool::release() {
    while (!entries_.empty() && entries_.front().state == State::kDone) {
        entries_.pop_front();
        ++first_;
    }
    if (!file_) return;
    const bool any = !entries_.empty() && !entries_.front().payload;
    file_->forget(any ? entries_.front().place.offset : file_->end());
}

void Spool::sync() {
    if (file_) file_->sync();
}

void Spool::close() {
    settle();
    file_.reset();
}

}  // namespace pamtri::sinks
