// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What waits for a broker, in order: in a file that outlives the process, or in memory.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "ring_file.hpp"
#include "transport.hpp"

namespace pamtri::sinks {

struct SpoolSpec {
    std::string path;                         ///< "" for memory alone
    std::uint64_t most_bytes = 256ull << 20;  ///< of the file's records or, without one, of memory
    /// Without room: true gives up the oldest events, which are the least wanted; false the new
    /// one.
    bool drop_oldest = true;
    /// With a file that cannot be written, such as on a full disk: so much waits in memory.
    std::uint64_t fallback_bytes = 16ull << 20;
};

/// A queue. Events leave it when they are done, in any order; a later process finds those that are
/// not. One thread at a time calls it.
class Spool {
  public:
    /// Throws InputError; see RingFile.
    explicit Spool(const SpoolSpec& spec);

    /// Take an event. Without room some are dropped, be it this one.
    void append(const std::string& key, const std::string& payload);

    /// Waiting events, the oldest first.
    const std::set<Id>& waiting() const { return waiting_; }
    /// The key of an event that waits or is out.
    const std::string& key(Id id) const { return at(id)->key; }
    /// Take a waiting event out to be sent; nothing if it is damaged, and dropped by that.
    std::optional<Message> take(Id id);
    /// An event that was taken waits again. False if it was dropped meanwhile.
    bool put_back(Id id);
    /// An event that was taken is done. False if it was dropped meanwhile.
    bool done(Id id);
    /// Give up an event that was taken.
    void drop(Id id);

    std::uint64_t size() const { return live_; }
    std::uint64_t on_disk() const { return live_ - memory_.size(); }
    std::uint64_t in_memory() const { return memory_.size(); }
    std::uint64_t dropped() const { return dropped_; }
    /// Events found in the file when it was opened.
    std::uint64_t earlier() const { return earlier_; }
    /// Why the file is not written, one sentence; "" while it is.
    const std::string& problem() const { return problem_; }

    /// Try once more to write what waits in memory since the file could not be written.
    void settle();
    /// Against a power cut; call it now and then. It may take long, and run beside the others but
    /// `close`.
    void sync();
    /// Let others have the file. Nothing but counts may be asked for after this.
    void close();

  private:
    enum class State { kWaiting, kOut, kDone };
    struct Entry {
        State state = State::kWaiting;
        std::string key;
        RingFile::Place place;               ///< on disk
        std::optional<std::string> payload;  ///< in memory
    };

    Entry* at(Id id);
    const Entry* at(Id id) const { return const_cast<Spool*>(this)->at(id); }
    bool append_to_file(Entry& entry, const std::string& payload);
    bool make_file_room(std::uint64_t size);
    bool make_memory_room(std::uint64_t size, std::uint64_t most);
    void give_up(Id id);
    void finish(Id id);
    void release();

    SpoolSpec spec_;
    std::unique_ptr<RingFile> file_;
    std::deque<Entry> entries_;
    Id first_ = 1;  ///< of the first entry
    std::set<Id> waiting_;
    std::set<Id>
        memory_;  ///< with a file: always the last ones, so that order on disk is that of events
    std::uint64_t live_ = 0;
    std::uint64_t memory_bytes_ = 0;
    std::uint64_t dropped_ = 0;
    std::uint64_t earlier_ = 0;
    std::string problem_;
};

}  // namespace pamtri::sinks
