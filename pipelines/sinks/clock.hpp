// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace pamtri::sinks {

/// Time that only goes forward; tests turn the hands themselves.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual std::chrono::milliseconds now() const {
        return std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now().time_since_epoch());
    }
};

}  // namespace pamtri::sinks
