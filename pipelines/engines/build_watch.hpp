// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Who is told how the building of an engine goes, and may end it.
#pragma once

#include <functional>
#include <string>

#include "engine_error.hpp"

namespace pamtri::engines {

/// How far a build is.
struct BuildProgress {
    std::string phase;  ///< in TensorRT's words
    int done = 0;       ///< steps of the phase
    int all = 1;
    double share = 0;  ///< of the whole build, 0 to 1
};

/// Any of these may be empty. They are called from threads of TensorRT, one at a time.
struct BuildWatch {
    std::function<void(const BuildProgress&)> told;

    /// Whether the build is not wanted any more: it ends with its present step.
    std::function<bool()> cancelled;

    /// What a person should know, and what goes on all the same.
    std::function<void(const std::string&)> warned;

    bool is_cancelled() const { return cancelled && cancelled(); }
};

/// A build that was ended because nobody wants it any more.
class Cancelled : public EngineError {
  public:
    Cancelled() : EngineError("the building of the engine was cancelled.") {}
};

}  // namespace pamtri::engines
