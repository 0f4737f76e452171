// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace pamtri::core {

/// TensorRT's nested phases of a build as one figure.
class BuildPhases {
  public:
    void start(const std::string& name, int steps);

    /// A step of a phase is done, counted from 0.
    void step(const std::string& name, int step);

    void finish(const std::string& name);

    /// How much of the outermost phase is done, 0 to 1: an inner phase is a part of the outer's
    /// step.
    double share() const;

    /// Steps of a phase that are done, and all of them; 0 of 1 of one that has not begun.
    struct Steps {
        int done = 0, all = 1;
    };
    Steps steps_of(const std::string& name) const;

  private:
    struct Phase {
        std::string name;
        Steps steps;
    };
    std::vector<Phase> phases_;
};

}  // namespace pamtri::core
