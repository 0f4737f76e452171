// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "spread.hpp"

#include <algorithm>
#include <cmath>

namespace pamtri::core {

bool Spread::wants(double time_s, double worth) const {
    const double period = period_of(time_s);
    for (const View& view : views_)
        if (period_of(view.sighting.time_s) == period) return worth > view.worth;
    return true;  // the first of its period, or of one that two become
}

bool Spread::offer(const View& view, std::vector<Ticket>* dropped) {
    if (views_.empty()) first_s_ = view.sighting.time_s;
    while (true) {
        const double period = period_of(view.sighting.time_s);
        const auto place = std::find_if(views_.begin(), views_.end(), [&](const View& other) {
            return period_of(other.sighting.time_s) >= period;
        });
        if (place != views_.end() && period_of(place->sighting.time_s) == period) {
            if (view.worth <= place->worth) return false;
            dropped->push_back(place->ticket);
            *place = view;
            return true;
        }
        if (views_.size() < most_) {
            views_.insert(place, view);
            return true;
        }
        lengthen(dropped);
    }
}

/// Which period a time is in, counted from the first view; clocks may go back.
double Spread::period_of(double time_s) const {
    const double period = std::floor((time_s - first_s_) / period_s_);
    return std::isfinite(period) ? period : 0;
}

void Spread::lengthen(std::vector<Ticket>* dropped) {
    period_s_ *= 2;
    std::vector<View> kept;
    for (const View& view : views_) {
        if (kept.empty() ||
            period_of(kept.back().sighting.time_s) != period_of(view.sighting.time_s)) {
            kept.push_back(view);
            continue;
        }
        const bool worthier = view.worth > kept.back().worth;
        dropped->push_back(worthier ? kept.back().ticket : view.ticket);
        if (worthier) kept.back() = view;
    }
    views_ = std::move(kept);
}

}  // namespace pamtri::core
