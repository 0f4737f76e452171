// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "spread.hpp"
#include "view.hpp"

namespace pamtri::core {

/// What is to be done with a sighting that was offered, or at the end of a track.
struct Verdict {
    bool keep = false;         ///< it may be embedded later, or now: copy its pixels
    std::vector<View> send;    ///< views to be embedded, the worthiest first
    std::vector<Ticket> drop;  ///< views that were kept and will not be embedded
};

/// A pose quality as decisions take it: 0 to 1, and 0 for what is no number.
double clipped_quality(double quality);

/// What an embedded view turned out to be.
struct Judgement {
    double weight = 0;      ///< how much it counts
    Failings failings = 0;  ///< why it does not stand for its vehicle; 0 where it does
};

/// Chooses the views of one track. Of its pixels it asks one number, and only where that matters.
///
/// For every sighting: `wants_detail`; measure it if so; `offer`. When the track ends: `close`. The
/// pose quality of what was sent comes back through `answer`. Until a view passes, a few that do
/// not are kept, spread over the track; those are for tracks of which none ever does.
class TrackGate {
  public:
    TrackGate(const GateSpec& spec, bool trained);

    /// Whether the sighting would be kept, were it sharp: detail must be measured before it is
    /// offered.
    bool wants_detail(const Sighting& sighting) const;

    /// Consider a sighting, of which detail was measured if that was wanted.
    ///
    /// @param ticket the view's number, if it is kept
    Verdict offer(const Sighting& sighting, std::optional<double> detail, Ticket ticket);

    /// What is to be done at the end of the track.
    Verdict close();

    /// Take note of the pose quality of a view that was embedded, if the network tells one.
    void answer(std::optional<double> quality);

    /// How much an embedded view counts, and what it lacks.
    Judgement judge(const View& view, std::optional<double> quality) const;

    /// The views that are kept and were not sent.
    std::vector<Ticket> held() const;

  private:
    bool rested(const Sighting& sighting) const;
    bool poor() const;
    void keep(const View& view, Verdict* verdict);
    void send(const View& view, Verdict* verdict);

    GateSpec spec_;
    bool trained_;
    std::optional<View> pending_;  // the best that passed and was not sent yet
    Spread below_;                 // while none passed
    int sent_ = 0;
    int answers_ = 0;
    double best_worth_ = 0;
    double best_quality_ = 0;
    double last_sent_s_ = 0;
};

}  // namespace pamtri::core
