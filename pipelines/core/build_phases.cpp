// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "build_phases.hpp"

#include <algorithm>

namespace pamtri::core {

void BuildPhases::start(const std::string& name, int steps) {
    phases_.push_back({name, {0, std::max(steps, 1)}});
}

void BuildPhases::step(const std::string& name, int step) {
    for (Phase& phase : phases_)
        if (phase.name == name) phase.steps.done = std::clamp(step + 1, 0, phase.steps.all);
}

void BuildPhases::finish(const std::string& name) {
    phases_.erase(std::remove_if(phases_.begin(), phases_.end(),
                                 [&](const Phase& phase) { return phase.name == name; }),
                  phases_.end());
}

double BuildPhases::share() const {
    double share = 0, part = 1;
    for (const Phase& phase : phases_) {
        share += part * phase.steps.done / phase.steps.all;
        part /= phase.steps.all;
    }
    return std::min(share, 1.0);
}

BuildPhases::Steps BuildPhases::steps_of(const std::string& name) const {
    for (const Phase& phase : phases_)
        if (phase.name == name) return phase.steps;
    return {};
}

}  // namespace pamtri::core
