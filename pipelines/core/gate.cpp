// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "gate.hpp"

#include <algorithm>
#include <tuple>

namespace pamtri::core {

namespace {

/// What passes goes before what does not; then the worthier.
std::tuple<bool, double> rank(Failings failings, double worth) { return {failings == 0, worth}; }

}  // namespace

double clipped_quality(double quality) {
    return quality > 0 ? std::min(quality, 1.0) : 0.0;  // a NaN is not above 0
}

bool TrackGate::wants_detail(const Sighting& sighting) const {
    if (!waits_) return true;
    const Failings failings = failings_of(sighting, spec_, trained_);
    // Measuring costs time: not where it would lose against the pending view even if wholly sharp.
    return another_try(sighting, failings) ||
           rank(failings, ceiling_of(sighting, spec_)) > rank(pending_.failings, pending_.worth);
}

Verdict TrackGate::offer(const Sighting& sighting, std::optional<double> detail) {
    Verdict verdict;
    if (detail) {
        const Failings failings = failings_of(sighting, spec_, trained_);
        const double worth = worth_of(sighting, spec_, *detail);
        const bool tries =
            another_try(sighting, failings) && worth >= spec_.retry_gain * best_worth_;
        if (!waits_ || tries || rank(failings, worth) > rank(pending_.failings, pending_.worth)) {
            pending_ = {sighting, worth, failings};
            waits_ = verdict.keep = true;
        }
    }
    if (!waits_ || !pending_.passes() || sent_ >= spec_.max_views - 1) return verdict;
    const bool retry = rested(pending_.sighting) && poor();
    if (sent_ && pending_.worth < (retry ? spec_.retry_gain : spec_.gain) * best_worth_)
        return verdict;
    send();
    verdict.send = true;
    return verdict;
}

bool TrackGate::close() {
    if (!waits_) return false;
    if (sent_) {
        const double factor = poor() ? spec_.retry_gain : spec_.last_gain;
        if (!pending_.passes() || pending_.worth < factor * best_worth_) return false;
    }
    send();
    return true;
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

/// Whether it is long enough since the last embedded view to look different.
bool TrackGate::rested(const Sighting& sighting) const {
    return sighting.time_s - last_sent_s_ >= spec_.retry_s;
}

/// Whether every embedded view is known to show the pose poorly.
bool TrackGate::poor() const {
    return trained_ && sent_ > 0 && sent_ == answers_ && best_quality_ < spec_.good_quality;
}

bool TrackGate::another_try(const Sighting& sighting, Failings failings) const {
    return failings == 0 && rested(sighting) && poor();
}

void TrackGate::send() {
    waits_ = false;
    ++sent_;
    best_worth_ = std::max(best_worth_, pending_.worth);
    last_sent_s_ = pending_.sighting.time_s;
}

}  // namespace pamtri::core
