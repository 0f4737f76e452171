// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace pamtri::gst {

/// What is known of a vehicle. It does not change once it is made: buffers, copies of buffers and
/// threads share it.
struct Known {
    bool passed = false;  ///< a view passed the gate
    int views = 0;
    double quality = -1;
    double time_s = 0;  ///< of the best view
    std::string color, type;
    double color_probability = 0, type_probability = 0;
    std::vector<float> embedding, color_probs, type_probs;
    std::vector<float> keypoints;  ///< rows of x, y, confidence; in parts of the box
    std::string embedding_space, bundle;
};

}  // namespace pamtri::gst
