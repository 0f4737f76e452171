// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "view.hpp"

namespace pamtri::core {

/// A sighting that may be embedded, with what it is worth. Its pixels are the caller's to keep.
struct View {
    Sighting sighting;
    double worth = 0;
    Failings failings = 0;

    bool passes() const { return failings == 0; }
};

/// What is to be done with a sighting that was offered.
struct Verdict {
    bool keep =
        false;  ///< it is now the track's pending view: copy its pixels in place of the last
    bool send = false;  ///< the pending view is to be embedded now
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
/// pose quality of what was sent comes back through `answer`.
class TrackGate {
  public:
    TrackGate(const GateSpec& spec, bool trained) : spec_(spec), trained_(trained) {}

    /// Whether the sighting could take the pending view's place, were it sharp: detail must be
    /// measured before it is offered.
    bool wants_detail(const Sighting& sighting) const;

    /// Consider a sighting, of which detail was measured if that was wanted.
    Verdict offer(const Sighting& sighting, std::optional<double> detail);

    /// Whether the pending view is to be embedded at the end of the track.
    bool close();

    /// The view that `Verdict` and `close` speak of.
    const View& pending() const { return pending_; }

    /// Take note of the pose quality of a view that was embedded, if the network tells one.
    void answer(std::optional<double> quality);

    /// How much an embedded view counts, and what it lacks.
    Judgement judge(const View& view, std::optional<double> quality) const;

  private:
    bool rested(const Sighting& sighting) const;
    bool poor() const;
    bool another_try(const Sighting& sighting, Failings failings) const;
    void send();

    GateSpec spec_;
    bool trained_;
    bool waits_ = false;  // whether pending_ holds a view that was not sent yet
    View pending_;
    int sent_ = 0;
    int answers_ = 0;
    double best_worth_ = 0;
    double best_quality_ = 0;
    double last_sent_s_ = 0;
};

}  // namespace pamtri::core
