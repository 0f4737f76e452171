// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "detector_plan.hpp"

namespace pamtri::engines {

/// Rows of 8-bit RGB without gaps.
struct RgbPicture {
    int width = 0, height = 0;
    const std::uint8_t* pixels = nullptr;
};

/// The numbers of a network's picture, in the order of its tensor, for a frame: resized as cv2
/// does, on gray 114, then divided, and less the mean in parts of the deviation. As Python's
/// pamtri_edge.video.detect.picture, to the bit.
std::vector<float> picture_numbers(const RgbPicture& frame, const core::PictureInput& input,
                                   const core::FramePlace& place);

}  // namespace pamtri::engines
