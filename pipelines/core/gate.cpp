// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "gate.hpp"

#include <algorithm>
#include <utility>

namespace pamtri::core {

double clipped_quality(double quality) {
    return quality > 0 ? std::min(quality, 1.0) : 0.0;  // a NaN is not above 0
}

bool TrackGate::wants_detail(const Sighting& sighting) const {
    if (has_turn(sighting)) return true;
    // Measuring costs time: not where it would lose against others even if wholly sharp.
    const Rank most{failings_of(sighting, spec_, trained_) == 0, ceiling_of(sighting, spec_)};
    return better(most, spec_.last_gain) && (!pending_ || most > rank_of(*pending_));
}

Verdict TrackGate::offer(const Sighting& sighting, std::optional<double> detail, Ticket ticket) {
    Verdict verdict;
    const bool turn = has_turn(sighting);
    if (detail) {
        const View view{ticket, sighting, worth_of(sighting, spec_, *detail),
                        failings_of(sighting, spec_, trained_)};
        const bool room = sent_ < spec_.max_views - 1;  // the last is for the end of the track
        const bool chosen = room && view.failings == 0 && better(rank_of(view), spec_.gain);
        if (chosen || turn) {
            verdict.keep = true;
            verdict.in_turn = !chosen && sent_ > 0;
            send(view, &verdict);
        } else if (better(rank_of(view), spec_.last_gain) &&
                   (!pending_ || rank_of(view) > rank_of(*pending_))) {
            let_pending_go(&verdict);
            pending_ = view;
            verdict.keep = true;
        }
    }
    ++seen_;
    return verdict;
}

Verdict TrackGate::close() {
    Verdict verdict;
    if (!pending_) return verdict;
    // One that ended may be seen again, and end again.
    if (sent_ < spec_.max_views && better(rank_of(*pending_), spec_.last_gain))
        send(*std::exchange(pending_, std::nullopt), &verdict);
    else
        let_pending_go(&verdict);
    return verdict;
}

Judgement TrackGate::judge(const View& view, std::optional<double> quality) const {
    // Untrained quality is noise: it must decide neither which view counts nor whether.
    if (!quality || !trained_) return {1, view.worth, view.failings};
    const bool seen = *quality >= spec_.min_quality;
    return {*quality, view.worth * *quality,
            static_cast<Failings>(view.failings | (seen ? 0 : kPoseUnsure))};
}

std::optional<Ticket> TrackGate::held() const {
    if (!pending_) return {};
    return pending_->ticket;
}

/// Whether it is better than all that were sent, by so much.
bool TrackGate::better(const Rank& rank, double factor) const {
    if (!best_) return true;
    return rank > *best_ && (rank.passes != best_->passes || rank.worth >= factor * best_->worth);
}

/// Whether the next sighting is embedded whatever it shows.
bool TrackGate::has_turn(const Sighting& sighting) const {
    if (spec_.reinfer_interval == 0 || sent_ >= spec_.max_views - 1) return false;
    if (sent_ == 0) return true;
    const double since = static_cast<double>(seen_ - sent_at_);
    return since >= spec_.reinfer_interval &&
           since >= spec_.reinfer_growth * static_cast<double>(seen_) && !stands(sighting);
}

/// Whether the vehicle is where it was when it was last embedded.
bool TrackGate::stands(const Sighting& sighting) const {
    if (spec_.reinfer_overlap >= 1) return false;
    const Rectangle &now = sighting.rectangle, &then = sent_from_;
    const double common = common_area(now, then);
    const double either = common_area(now, now) + common_area(then, then) - common;
    return common > spec_.reinfer_overlap * either;
}

void TrackGate::send(const View& view, Verdict* verdict) {
    ++sent_;
    sent_at_ = seen_;
    sent_from_ = view.sighting.rectangle;
    if (!best_ || rank_of(view) > *best_) best_ = rank_of(view);
    verdict->send = view;
    if (pending_ && !better(rank_of(*pending_), spec_.last_gain)) let_pending_go(verdict);
}

void TrackGate::let_pending_go(Verdict* verdict) {
    if (const auto view = std::exchange(pending_, std::nullopt)) verdict->drop = view->ticket;
}

}  // namespace pamtri::core
