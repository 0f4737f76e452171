// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "crop_rules.hpp"

namespace pamtri::gst {

/// A place in frame pixels; the center of the pixel in column 3, row 2 is at 3, 2.
struct Point {
    double x = 0, y = 0;
};

/// How much of each pixel shapes cover, 0 to 255, in a rectangle of a frame. Shapes may reach past
/// it, be they as long as they are.
class Mask {
  public:
    /// What of an area lies inside the frame; its sides need not be in order.
    Mask(const core::Rectangle& area, core::FrameSize frame);

    bool empty() const { return values_.empty(); }
    const core::Rectangle& area() const { return area_; }
    const std::uint8_t* row(int y) const {
        return values_.data() + static_cast<std::size_t>(y - area_.y1) * width();
    }

    /// Cover whole pixels, right and bottom exclusive.
    void add_rectangle(const core::Rectangle& rectangle);

    /// Cover a line with round ends; its edges are soft.
    void add_line(Point from, Point to, double line_width);

    /// Cover a disc; its edge is soft.
    void add_disc(Point center, double radius) { add_line(center, center, 2 * radius); }

  private:
    std::size_t width() const { return static_cast<std::size_t>(area_.x2 - area_.x1); }

    core::Rectangle area_;
    std::vector<std::uint8_t> values_;
};

}  // namespace pamtri::gst
