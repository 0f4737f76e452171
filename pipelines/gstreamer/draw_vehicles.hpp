// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "draw_canvas.hpp"
#include "vehicle_meta.hpp"

namespace pamtri::gst {

/// What is drawn of each vehicle; a set of bits.
enum Show { kShowBoxes = 1, kShowLabels = 2, kShowKeypoints = 4, kShowSegments = 8 };

struct DrawSpec {
    guint show = kShowBoxes | kShowLabels | kShowKeypoints | kShowSegments;
    guint line_width = 0;   ///< pixels; 0 for what the core finds fit for the frame
    guint text_height = 0;  ///< of capital letters; likewise
};

/// Draw vehicles into a frame: labels last, so that no line crosses them.
void draw(Canvas* canvas, const std::vector<const Vehicle*>& vehicles, const DrawSpec& spec);

}  // namespace pamtri::gst
