// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "detector_plan.hpp"

namespace pamtri::engines {

/// A detector's network and its description, which belong together.
struct DetectorFiles {
    std::string network;  ///< its path
    core::DetectorPlan plan;
};

/// Find both, by the path of one of them.
///
/// Throws core::InputError: one is missing or is none, or the network is not the one that was
/// described.
DetectorFiles find_detector(const std::string& path);

}  // namespace pamtri::engines
