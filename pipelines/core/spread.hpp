// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "view.hpp"

namespace pamtri::core {

/// A few views out of a time of unknown length: the worthiest of each period, in order of time.
///
/// Where there are as many as may be kept and another period begins, periods become twice as long,
/// and of those that fall into one the worthiest stays: so they stay spread over the whole time,
/// and the worthiest of all is among them.
class Spread {
  public:
    /// @param most views kept at a time, 1 or more
    /// @param period_s seconds of a period at first, above 0
    Spread(std::size_t most, double period_s) : most_(most), period_s_(period_s) {}

    /// Whether a view of that time would be kept, were it worth so much.
    bool wants(double time_s, double worth) const;

    /// Consider a view; those that are no longer kept are added to `dropped`. Returns whether it is
    /// kept.
    bool offer(const View& view, std::vector<Ticket>* dropped);

    const std::vector<View>& views() const { return views_; }

    /// Give them away.
    std::vector<View> take() { return std::exchange(views_, {}); }

  private:
    double period_of(double time_s) const;
    void lengthen(std::vector<Ticket>* dropped);

    std::size_t most_;
    double period_s_;
    double first_s_ = 0;
    std::vector<View> views_;
};

}  // namespace pamtri::core
