// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "frame_clock.hpp"

#include <algorithm>

namespace pamtri::core {

namespace {

constexpr double kUsualRate = 25.0;
constexpr double kNothingS = 0.5 / 240.0;  // a clock that moves by less stands still
constexpr double kJitterFrames = 2.5;      // back by less is out of order; by more, set anew
constexpr double kManyFrames = 100.0;      // a gap must also be so many frames to be a leap

}  // namespace

FrameClock::FrameClock(std::optional<double> rate, double longest_gap_s)
    : step_(1.0 / (rate && *rate > 0 ? *rate : kUsualRate)),
      longest_(std::max(longest_gap_s, kManyFrames * step_)) {}

FrameClock::Tick FrameClock::tick(std::optional<double> stamp, int missed) {
    if (!now_) {
        now_ = 0.0;
        note(stamp);
        return {*now_, false};
    }
    const double by_rate = *now_ + (missed + 1) * step_;
    if (!stamp) {
        now_ = by_rate;
        return {*now_, false};
    }
    const double moved = before_ ? *stamp - *before_ : 0.0;
    const bool jumped = moved > longest_ || moved < -kJitterFrames * step_;
    if (jumped || !offset_) {
        now_ = by_rate;
        note(stamp);
        return {*now_, jumped};
    }
    before_ = stamp;
    double by_stamp = *stamp + *offset_;
    if (by_stamp < *now_ + kNothingS)
        // It stood still, or is out of order, or did before and is caught up with.
        by_stamp = *now_ + (moved > kNothingS ? std::min(moved, step_) : step_);
    now_ = by_stamp;
    return {*now_, false};
}

void FrameClock::note(std::optional<double> stamp) {
    before_ = stamp;
    offset_ = stamp && now_ ? std::optional<double>(*now_ - *stamp) : std::nullopt;
}

}  // namespace pamtri::core
