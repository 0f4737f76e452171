// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "gate.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace pamtri::core {

double clipped_quality(double quality) {
    return quality > 0 ? std::min(quality, 1.0) : 0.0;  // a NaN is not above 0
}

TrackGate::TrackGate(const GateSpec& spec, bool trained)
    : spec_(spec),
      trained_(trained),
      below_(static_cast<std::size_t>(std::min(spec.below_gate_views, spec.max_views)),
             spec.below_gate_s) {}

bool TrackGate::wants_detail(const Sighting& sighting) const {
    // Measuring costs time: not where it would lose against what is kept even if wholly sharp.
    const double ceiling = ceiling_of(sighting, spec_);
    if (failings_of(sighting, spec_, trained_))
        return !pending_ && !sent_ && below_.wants(sighting.time_s, ceiling);
    return !pending_ || (rested(sighting) && poor()) || ceiling > pending_->worth;
}

Verdict TrackGate::offer(const Sighting& sighting, std::optional<double> detail, Ticket ticket) {
    Verdict verdict;
    if (detail)
        keep({ticket, sighting, worth_of(sighting, spec_, *detail),
              failings_of(sighting, spec_, trained_)},
             &verdict);
    if (!pending_ || sent_ >= spec_.max_views - 1) return verdict;
    const bool retry = rested(pending_->sighting) && poor();
    if (!sent_ || pending_->worth >= (retry ? spec_.retry_gain : spec_.gain) * best_worth_)
        send(*std::exchange(pending_, std::nullopt), &verdict);
    return verdict;
}

void TrackGate::keep(const View& view, Verdict* verdict) {
    if (view.failings) {
        if (!pending_ && !sent_) verdict->keep = below_.offer(view, &verdict->drop);
        return;
    }
    const bool tries =
        rested(view.sighting) && poor() && view.worth >= spec_.retry_gain * best_worth_;
    if (pending_ && !tries && view.worth <= pending_->worth) return;
    verdict->drop = held();  // beside one that passes, what does not counts for nothing
    below_.take();
    pending_ = view;
    verdict->keep = true;
}

Verdict TrackGate::close() {
    Verdict verdict;
    std::vector<View> last = below_.take();
    std::stable_sort(last.begin(), last.end(),
                     [](const View& a, const View& b) { return a.worth > b.worth; });
    if (const auto view = std::exchange(pending_, std::nullopt)) {
        const double factor = poor() ? spec_.retry_gain : spec_.last_gain;
        const bool better = !sent_ || view->worth >= factor * best_worth_;
        if (better && sent_ < spec_.max_views)  // one that ended may be seen again, and end again
            last = {*view};
        else
            verdict.drop = {view->ticket};
    }
    for (const View& view : last) send(view, &verdict);
    return verdict;
}

void TrackGate::answer(std::optional<double> quality) {
    if (!quality) return;
    best_quality_ = answers_ ? std::max(best_quality_, *quality) : *quality;
    ++answers_;
}

Judgement TrackGate::judge(const View& view, std::optional<double> quality) const {
    // Untrained quality is noise: it must decide neither which view counts nor whether.
    if (!quality || !trained_) return {view.worth, view.failings};
    const bool seen = *quality >= spec_.min_quality;
    return {view.worth * *quality, static_cast<Failings>(view.failings | (seen ? 0 : kPoseUnsure))};
}

std::vector<Ticket> TrackGate::held() const {
    std::vector<Ticket> tickets;
    for (const View& view : below_.views()) tickets.push_back(view.ticket);
    if (pending_) tickets.push_back(pending_->ticket);
    return tickets;
}

/// Whether it is long enough since the last embedded view to look different.
bool TrackGate::rested(const Sighting& sighting) const {
    return sighting.time_s - last_sent_s_ >= spec_.retry_s;
}

/// Whether every embedded view is known to show the pose poorly.
bool TrackGate::poor() const {
    return trained_ && sent_ > 0 && sent_ == answers_ && best_quality_ < spec_.good_quality;
}

void TrackGate::send(const View& view, Verdict* verdict) {
    ++sent_;
    best_worth_ = std::max(best_worth_, view.worth);
    last_sent_s_ = view.sighting.time_s;
    verdict->send.push_back(view);
}

}  // namespace pamtri::core
