// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace pamtri::core {

/// x1, y1, x2, y2 in frame pixels, edges at integers; may reach past the frame.
struct Box {
    double x1 = 0, y1 = 0, x2 = 0, y2 = 0;
};

/// What is cut: whole pixels inside the frame, right and bottom exclusive, never empty.
struct Rectangle {
    std::int32_t x1 = 0, y1 = 0, x2 = 0, y2 = 0;
};

/// What two boxes, or two rectangles, share; of one with itself, its area.
template <typename Sides>
double common_area(const Sides& a, const Sides& b) {
    const double wide = static_cast<double>(std::min(a.x2, b.x2)) - std::max(a.x1, b.x1);
    const double high = static_cast<double>(std::min(a.y2, b.y2)) - std::max(a.y1, b.y1);
    return std::max(wide, 0.0) * std::max(high, 0.0);
}

/// Sides of a frame in pixels.
struct FrameSize {
    std::int32_t width = 0, height = 0;
};

enum class CropRule {
    kExact,    ///< the box clipped to the frame and rounded outward
    kNvinfer,  ///< as gst-nvinfer: left and top rounded up to even, width and height down to even
};

/// The rule of a name, "exact" or "nvinfer". Throws InputError for another.
CropRule crop_rule_of(const std::string& name);

/// Why nothing can be cut for a box.
enum class BoxFault { kNone, kNotFinite, kInverted, kShares, kOutside, kTooSmall };

/// Whether it is one at all: finite, not empty, not inverted.
bool is_box(const Box& box);

/// The rectangle to cut for one box, or why there is none. Boxes may be any numbers: what lies past
/// the frame, and be it past what an integer holds, is clipped before anything is rounded.
BoxFault crop_rectangle(const Box& box, FrameSize frame, CropRule rule, Rectangle* out);

/// The rectangles to cut for the boxes of one frame.
///
/// Throws InputError that names the first box for which nothing can be cut, and counts those that
/// are so for the same reason; or if all boxes lie between 0 and 1, as shares of the frame do.
std::vector<Rectangle> crop_rectangles(const std::vector<Box>& boxes, FrameSize frame,
                                       CropRule rule);

}  // namespace pamtri::core
