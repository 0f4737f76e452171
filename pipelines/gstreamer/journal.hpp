// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The tracks of a running stream, with their pixels: what Python's pamtri_edge.video.journal is
// there. Both drive the same core in the same order, so that the same tracks give the same events.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "best.hpp"
#include "budget.hpp"
#include "conclude.hpp"
#include "cutter.hpp"
#include "event.hpp"
#include "frame_pixels.hpp"
#include "known.hpp"
#include "manifest.hpp"
#include "runner.hpp"
#include "tracks.hpp"

namespace pamtri::gst {

/// A vehicle in a frame.
struct Seen {
    std::uint64_t id = core::kUntracked;
    core::Box box;
    bool last = false;  ///< the track will not be seen after this frame
};

struct JournalSpec {
    core::TracksSpec tracks;
    core::CropRule rule = core::CropRule::kExact;
    std::size_t most_waiting = 64;  ///< views that wait at most, but each track's first
    double budget = 0;              ///< views embedded a second of the stream; 0 for any number
    std::string camera;
    std::optional<core::Moment> start;  ///< of the first frame
};

/// What happened so far.
struct Counts {
    std::uint64_t frames = 0, sightings = 0;
    std::uint64_t embedded = 0;    ///< views that were
    std::uint64_t late = 0;        ///< sightings left out, since too many views waited
    std::uint64_t repeated = 0;    ///< boxes of a track that has another in the frame
    std::uint64_t events = 0;      ///< tracks that ended with an answer
    std::uint64_t shorts = 0;      ///< tracks that were seen too briefly
    std::uint64_t unseen = 0;      ///< tracks that were never inside the frame
    std::uint64_t unfinished = 0;  ///< tracks that an interruption left without an answer
};

/// Keeps the open tracks of a stream and has their views embedded. Of one thread; memory is that of
/// the open tracks. Throws engines::EngineError where embedding failed.
class Journal {
  public:
    /// The runner must outlive it.
    Journal(const JournalSpec& spec, const engines::Manifest& manifest, Runner& runner);

    /// Take the next frame. Returns what is known of each vehicle, null for nothing yet.
    std::vector<std::shared_ptr<const Known>> observe(const FramePixels& frame, double time_s,
                                                      const std::vector<Seen>& seen);

    /// The same of a frame whose pixels lie elsewhere; views are cut out of it before this returns.
    std::vector<std::shared_ptr<const Known>> observe(Cutter& frame, double time_s,
                                                      const std::vector<Seen>& seen);

    /// The moment of the stream's first frame, where it is known only later than that.
    void set_start(std::optional<core::Moment> start) { spec_.start = start; }

    /// End what is over with a frame: tracks seen for the last time, and those that expire.
    void end_frame(double time_s, const std::vector<Seen>& seen);

    /// End every track, and wait until what is left is embedded.
    void finish();

    /// End every track with what is known.
    void abandon();

    /// The events of the tracks that ended since the last call.
    std::vector<core::Event> take_events() { return std::exchange(events_, {}); }

    const Counts& counts() const { return counts_; }

  private:
    struct View {
        core::Sighting sighting;
        Picture picture;
    };

    void look(core::Handle handle, const core::Sighting& sighting, const Seen& seen, Cutter& frame);
    void let_go(const std::vector<core::Ticket>& views);
    void embed_due(double now_s);
    bool may_embed();
    bool embed(const std::vector<core::Ticket>& tickets);
    void collect();
    void note(core::Ticket ticket, const engines::Answer& answer);
    void close();
    void end(core::Handle handle);

    JournalSpec spec_;
    const core::Labels labels_;
    Runner& runner_;
    core::Tracks tracks_;
    core::Budget budget_;
    // By handle of the track: the view that counts most, what is known, how many.
    std::unordered_map<core::Handle, Best> best_;
    std::unordered_map<core::Handle, std::shared_ptr<const Known>> known_;
    std::unordered_map<core::Handle, int> views_;
    std::unordered_map<core::Ticket, View> kept_;               // views that may be embedded
    std::unordered_map<core::Ticket, core::Sighting> running_;  // and those that the network has
    std::unordered_set<core::Handle> begun_;  // tracks of which a view was looked at
    std::vector<core::Event> events_;
    double frame_s_ = 0;  // of the frame
    Counts counts_;
};

}  // namespace pamtri::gst
