// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Around a detector: where a frame lies in its picture, and which of its boxes stay.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "crop_rules.hpp"

namespace pamtri::core {

/// How a frame is laid into a network's picture.
enum class Fit {
    kCorner,   ///< at its own aspect, at the top left
    kCenter,   ///< at its own aspect, in the middle
    kStretch,  ///< stretched to the whole
};

/// The fit of a name: "corner", "center" or "stretch". Throws InputError for another.
Fit fit_of(const std::string& name);

/// Where a frame lies in a network's picture.
struct FramePlace {
    Rectangle filled;                 ///< the picture's pixels that the frame fills
    double scale_x = 1, scale_y = 1;  ///< picture pixels a frame pixel

    /// A box of the network's picture in the frame, clipped to it.
    Box in_frame(const Box& box, FrameSize frame) const;
};

/// Lay a frame into a picture; both have pixels.
FramePlace place_frame(FrameSize frame, FrameSize picture, Fit fit);

/// The numbers of boxes that stay when each, the surest first, removes those that overlap it with a
/// lower score.
///
/// @param boxes rows of x1, y1, x2, y2
/// @param scores one a box
/// @param overlap highest intersection over union that two boxes may have
std::vector<std::size_t> suppress(const std::vector<float>& boxes, const std::vector<float>& scores,
                                  float overlap);

}  // namespace pamtri::core
