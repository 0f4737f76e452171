// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "view.hpp"

namespace pamtri::core {

/// What is to be done with a sighting that was offered, or at the end of a track.
struct Verdict {
    bool keep = false;           ///< it may be embedded later, or now: copy its pixels
    std::optional<View> send;    ///< the view to be embedded
    bool in_turn = false;        ///< that is one because it is time for one: others go first
    std::optional<Ticket> drop;  ///< the view that was kept and will not be embedded
};

/// A pose quality as decisions take it: 0 to 1, and 0 for what is no number.
double clipped_quality(double quality);

/// What an embedded view turned out to be.
struct Judgement {
    double weight = 0;      ///< how much it counts where views are fused
    double worth = 0;       ///< how well it shows the vehicle, to compare it with others
    Failings failings = 0;  ///< why it does not stand for its vehicle; 0 where it does
};

/// Chooses the views of one track. Of its pixels it asks one number, and only where that matters.
///
/// For every sighting: `wants_detail`; measure it if so; `offer`. When the track ends: `close`.
/// What is chosen does not depend on what the network says, so it does not on when it says it.
class TrackGate {
  public:
    TrackGate(const GateSpec& spec, bool trained) : spec_(spec), trained_(trained) {}

    /// Whether the sighting would be kept or sent, were it sharp: detail must be measured before it
    /// is offered.
    bool wants_detail(const Sighting& sighting) const;

    /// Consider a sighting, of which detail was measured if that was wanted.
    ///
    /// @param ticket the view's number, if it is kept
    Verdict offer(const Sighting& sighting, std::optional<double> detail, Ticket ticket);

    /// What is to be done at the end of the track.
    Verdict close();

    /// How much an embedded view counts, and what it lacks.
    Judgement judge(const View& view, std::optional<double> quality) const;

    /// The view that is kept and was not sent.
    std::optional<Ticket> held() const;

  private:
    /// Views that pass come before those that do not, and then goes what they are worth.
    struct Rank {
        bool passes = false;
        double worth = 0;
        bool operator>(const Rank& other) const {
            return passes != other.passes ? passes : worth > other.worth;
        }
    };

    static Rank rank_of(const View& view) { return {view.failings == 0, view.worth}; }
    bool better(const Rank& rank, double factor) const;
    bool has_turn(const Sighting& sighting) const;
    bool stands(const Sighting& sighting) const;
    void send(const View& view, Verdict* verdict);
    void let_pending_go(Verdict* verdict);

    GateSpec spec_;
    bool trained_;
    std::optional<View> pending_;  // the best that was not sent
    std::optional<Rank> best_;     // of those that were
    Rectangle sent_from_;          // where the last of those was
    int sent_ = 0;
    std::uint64_t seen_ = 0;     // sightings offered
    std::uint64_t sent_at_ = 0;  // how many there were before the last that was sent
};

}  // namespace pamtri::core
