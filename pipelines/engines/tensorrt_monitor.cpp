// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "tensorrt_monitor.hpp"

namespace pamtri::engines {

void Monitor::phaseStart(char const* phase, char const*, int32_t steps) noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    phases_.start(phase, steps);
    tell(phase);
}

bool Monitor::stepComplete(char const* phase, int32_t step) noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    phases_.step(phase, step);
    tell(phase);
    return !stopped_by_;
}

void Monitor::phaseFinish(char const* phase) noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    phases_.finish(phase);
}

void Monitor::rethrow() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stopped_by_) std::rethrow_exception(stopped_by_);
}

void Monitor::tell(char const* phase) noexcept {
    if (stopped_by_) return;
    try {
        if (watch_.is_cancelled()) throw Cancelled();
        const core::BuildPhases::Steps steps = phases_.steps_of(phase);
        if (watch_.told) watch_.told({phase, steps.done, steps.all, phases_.share()});
    } catch (...) {
        stopped_by_ = std::current_exception();
    }
}

}  // namespace pamtri::engines
