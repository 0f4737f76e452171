// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Records in a file of bounded size, first in, first out; whole after a kill at any moment.
//
// Layout: a head of 4096 bytes, then a ring. Records are placed by an offset that only grows; it
// lies at `offset % capacity` of the ring, and a record that reaches the ring's end goes on at its
// begin. Each holds its own offset and a checksum, so what a kill cut, or an earlier turn of the
// ring left, is known as such. Where the oldest record begins stands in two slots of the head that
// are written in turn, so that one is always whole.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace pamtri::sinks {

/// Writing failed: a full disk, a limit of this process, a device that is gone. The text says
/// which.
struct WriteError {
    std::string why;
};

class RingFile {
  public:
    struct Place {
        std::uint64_t offset = 0;
        std::uint64_t size = 0;  ///< with everything around key and payload
    };
    using Found = std::function<void(const Place&, std::string key)>;

    /// Bytes that a record takes.
    static std::uint64_t size_of(const std::string& key, const std::string& payload);

    /// Open or make the file and keep other processes out of it.
    ///
    /// @param capacity bytes of the ring; where the file has another, its records are moved to a
    /// new one,
    ///     of them the oldest are left out if they do not fit
    /// @param found called with each record, the oldest first
    ///
    /// Throws InputError: it is in use, cannot be opened, or is something else.
    RingFile(const std::string& path, std::uint64_t capacity, const Found& found);
    ~RingFile();
    RingFile(const RingFile&) = delete;
    RingFile& operator=(const RingFile&) = delete;

    std::uint64_t capacity() const { return capacity_; }
    /// Bytes between the oldest record's begin and the newest one's end.
    std::uint64_t used() const { return head_ - tail_; }
    /// Records that were damaged or did not fit when the file was opened.
    std::uint64_t lost() const { return lost_; }

    /// Append a record that fits; an error leaves the records as they were.
    std::optional<WriteError> append(const std::string& key, const std::string& payload,
                                     Place& place);

    /// Read a payload; nothing if it is damaged.
    std::optional<std::string> read(const Place& place) const;

    /// Forget the records before an offset; all of them for `end()`, which gives the disk its room
    /// back.
    void forget(std::uint64_t offset);
    std::uint64_t end() const { return head_; }

    /// Bring what was written through to the disk, against a power cut. May run beside the others.
    void sync();

  private:
    void lock();
    void read_head();
    void write_head();
    bool write_mark(std::uint64_t offset);
    void scan(const Found& found);
    std::uint64_t next_whole(std::uint64_t offset, std::uint64_t limit) const;
    std::optional<std::string> record_at(std::uint64_t offset, std::uint64_t limit) const;
    void resize(std::uint64_t capacity);
    bool read_ring(std::uint64_t offset, char* to, std::uint64_t size) const;

    std::string path_;
    int file_ = -1;
    std::uint64_t capacity_ = 0;
    std::uint64_t tail_ = 0;
    std::uint64_t head_ = 0;
    std::uint64_t stamp_ = 0;
    std::uint64_t lost_ = 0;
    std::atomic<bool> dirty_{false};
};

}  // namespace pamtri::sinks
