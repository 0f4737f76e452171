// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "fusion.hpp"
#include "gate.hpp"

namespace pamtri::core {

/// A track for as long as it is open; the number is not given twice.
using Handle = std::uint64_t;

/// The id of an object that no tracker follows, as DeepStream has it: each sighting is a track.
constexpr std::uint64_t kUntracked = ~std::uint64_t{0};

/// How tracks are kept.
struct TracksSpec {
    GateSpec gate;
    bool trained = true;          ///< whether the network's pose quality means anything
    std::size_t batch = 8;        ///< views embedded at a time, over all tracks and sources
    double longest_wait_s = 0.5;  ///< a view waits so long for others; longer, and labels come late
    std::uint64_t least_frames = 1;  ///< a track that was seen in fewer is dropped
    double expiry_s = 0;             ///< a track unseen for so long has ended; 0 for never
    std::size_t most_tracks = 0;     ///< the one unseen for longest makes room; 0 for any number

    /// Throws InputError if a number cannot be meant.
    void check() const;
};

/// How a track ended.
enum class Fate {
    kDone,        ///< with an answer
    kShort,       ///< seen too briefly to be a track
    kUnseen,      ///< no part of it was ever inside the frame
    kUnfinished,  ///< an interruption left it without an embedded view
};

/// A track that is over.
struct Closed {
    Handle handle = 0;
    std::uint32_t source = 0;
    std::uint64_t id = 0;
    Fate fate = Fate::kDone;
    double first_s = 0, last_s = 0;
    std::uint64_t seen = 0;
    int embedded = 0;
    Fusion fusion;
    std::vector<Ticket> dropped;  ///< views that were kept and will not be embedded
};

/// What came of offering a sighting, or of ending a track.
struct Choice {
    std::optional<Ticket> keep;   ///< copy the sighting's pixels: `due` may ask for them by this
    std::vector<Ticket> dropped;  ///< views whose pixels `due` will not ask for any more
};

/// What an embedded view turned out to be.
struct Answered {
    Handle handle = 0;
    bool best = false;  ///< it counts most of its track so far
    Judgement judgement;
    std::optional<double> quality;  ///< of its pose, 0 to 1
};

/// The open tracks of any number of sources: which of their views are embedded, in which batches,
/// and what is known of each. Pixels are the caller's, by ticket.
///
/// For every frame: `see` each box, `offer` each sighting, `due` for batches, `expire`. Times are
/// of one clock for all sources. Memory is that of the open tracks, however long a video lasts.
class Tracks {
  public:
    explicit Tracks(const TracksSpec& spec);

    /// Take note of a box of a track.
    Handle see(std::uint32_t source, std::uint64_t id, double time_s);

    /// As TrackGate's, of an open track.
    bool wants_detail(Handle handle, const Sighting& sighting) const;
    Choice offer(Handle handle, const Sighting& sighting, std::optional<double> detail);

    /// The views to embed now: a whole batch, or what there is once the first of it has waited too
    /// long; nothing else. Pass infinity for what is left. Views that are embedded in turn let
    /// others go first.
    std::vector<Ticket> due(double now_s);

    /// Take the network's answer to a view that `due` gave. After the last of a batch: `settle`.
    Answered answer(Ticket ticket, std::optional<double> quality, Fusion::Values embedding,
                    Fusion::Values color, Fusion::Values type);
    void settle();

    /// End a track: it comes out of `take_closed` once what is due of it is answered. Its last view
    /// may be chosen by this. Unknown ones are left alone.
    Choice end(Handle handle);

    /// End what was not seen for `expiry_s` or is one too many, and every untracked sighting.
    std::vector<Choice> expire(double now_s);

    /// Close every track with what is known; nothing is due any more.
    void abandon();

    std::vector<Closed> take_closed() { return std::exchange(closed_, {}); }
    std::optional<Handle> find(std::uint32_t source, std::uint64_t id) const;
    std::vector<Handle> open() const;

    /// What is known of an open track; null before its first answer.
    const Fusion* known(Handle handle) const;
    std::size_t waiting() const { return queue_.size() + in_turn_.size() + sent_.size(); }

  private:
    using Key = std::pair<std::uint32_t, std::uint64_t>;
    struct Waiting {
        Handle handle;
        View view;
        bool in_turn = false;  // others go first
    };
    struct Track {
        Track(Key key, double time_s, const TracksSpec& spec)
            : key(key), first_s(time_s), gate(spec.gate, spec.trained) {}
        Key key;
        double first_s, last_s = 0;
        std::uint64_t seen = 0;
        std::size_t waiting = 0;
        int embedded = 0;
        bool closing = false;
        TrackGate gate;
        std::vector<Waiting> held;  // chosen before the track was long enough to be one
        Fusion fusion;
        std::list<Handle>::iterator place;  // in unseen_
    };

    Handle open_track(Key key, double time_s);
    bool long_enough(const Track& track) const;
    Choice choose(Handle handle, Track& track, const Verdict& verdict);
    void release(Track& track);
    bool is_due(const std::deque<Waiting>& queue, double now_s) const;
    void take(std::deque<Waiting>* queue, std::vector<Ticket>* tickets);
    void finish_if_done(Handle handle);
    void close(Handle handle, Fate fate);

    TracksSpec spec_;
    std::map<Handle, Track> tracks_;  // in the order in which they were first seen
    std::map<Key, Handle> handles_;
    std::list<Handle> unseen_;       // the one unseen for longest first
    std::vector<Handle> untracked_;  // of this frame
    std::deque<Waiting> queue_, in_turn_;
    std::unordered_map<Ticket, Waiting> sent_;
    std::vector<Handle> answered_;  // since the last `settle`
    std::vector<Closed> closed_;
    Handle last_handle_ = 0;
    Ticket last_ticket_ = 0;
};

}  // namespace pamtri::core
