// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>

namespace pamtri::core {

/// How many views may be embedded, over all tracks: so many a second, and a second's worth at once.
class Budget {
  public:
    /// @param per_s views a second; 0 for any number
    explicit Budget(double per_s) : per_s_(per_s), left_(per_s) {}

    /// Whether a view may be embedded at this time.
    bool allows(double now_s) {
        if (per_s_ <= 0) return true;
        if (now_s > before_s_) left_ = std::min(left_ + (now_s - before_s_) * per_s_, per_s_);
        before_s_ = now_s;
        return left_ >= std::min(1.0, per_s_);
    }

    /// Take note of views that are; a batch may go beyond what is left, and the next waits longer.
    void spend(std::size_t views) { left_ -= per_s_ > 0 ? static_cast<double>(views) : 0.0; }

  private:
    double per_s_, left_, before_s_ = 0;
};

}  // namespace pamtri::core
