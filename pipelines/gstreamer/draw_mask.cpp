// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "draw_mask.hpp"

#include <algorithm>
#include <cmath>

namespace pamtri::gst {

namespace {

core::Rectangle inside(const core::Rectangle& r, const core::Rectangle& limits) {
    const auto within = [](int value, int low, int high) { return std::clamp(value, low, high); };
    return {within(r.x1, limits.x1, limits.x2), within(r.y1, limits.y1, limits.y2),
            within(r.x2, limits.x1, limits.x2), within(r.y2, limits.y1, limits.y2)};
}

bool holds_pixels(const core::Rectangle& r) { return r.x1 < r.x2 && r.y1 < r.y2; }

double distance(Point from, Point to, double x, double y) {
    const double wide = to.x - from.x, high = to.y - from.y;
    const double squared = wide * wide + high * high;
    double share = 0;
    if (squared > 0)
        share = std::clamp(((x - from.x) * wide + (y - from.y) * high) / squared, 0.0, 1.0);
    const double across = x - from.x - share * wide, down = y - from.y - share * high;
    return std::sqrt(across * across + down * down);  // of pixels: far from where hypot is needed
}

/// The least and the largest x of what of a line lies between two rows; false for nothing.
bool columns_between(Point from, Point to, double top, double bottom, double* left, double* right) {
    if (from.y > to.y) std::swap(from, to);
    if (to.y < top || from.y > bottom) return false;
    const double slope = to.y > from.y ? (to.x - from.x) / (to.y - from.y) : 0;
    const bool level = to.y <= from.y;
    const double one = from.y >= top || level ? from.x : from.x + slope * (top - from.y);
    const double other = to.y <= bottom || level ? to.x : from.x + slope * (bottom - from.y);
    *left = std::min(one, other);
    *right = std::max(one, other);
    return true;
}

}  // namespace

Mask::Mask(const core::Rectangle& area, core::FrameSize frame)
    : area_(inside(area, {0, 0, frame.width, frame.height})) {
    if (holds_pixels(area_))
        values_.resize(width() * static_cast<std::size_t>(area_.y2 - area_.y1));
}

void Mask::add_rectangle(const core::Rectangle& rectangle) {
    const core::Rectangle r = inside(rectangle, area_);
    if (empty() || !holds_pixels(r)) return;
    for (int y = r.y1; y < r.y2; ++y) {
        std::uint8_t* first = values_.data() + static_cast<std::size_t>(y - area_.y1) * width();
        std::fill(first + (r.x1 - area_.x1), first + (r.x2 - area_.x1), std::uint8_t{255});
    }
}

void Mask::add_line(Point from, Point to, double line_width) {
    if (empty()) return;
    const double reach = line_width / 2 + 0.5;  // where nothing of a pixel is covered any more
    const auto bounded = [](double value, int low, int high) {
        return static_cast<int>(std::clamp(value, double(low), double(high)));
    };
    const int top = bounded(std::floor(std::min(from.y, to.y) - reach), area_.y1, area_.y2);
    const int bottom = bounded(std::ceil(std::max(from.y, to.y) + reach) + 1, area_.y1, area_.y2);
    for (int y = top; y < bottom; ++y) {
        double left = 0, right = 0;
        if (!columns_between(from, to, y - reach, y + reach, &left, &right)) continue;
        const int first = bounded(std::floor(left - reach), area_.x1, area_.x2);
        const int last = bounded(std::ceil(right + reach) + 1, area_.x1, area_.x2);
        std::uint8_t* row = values_.data() + static_cast<std::size_t>(y - area_.y1) * width();
        for (int x = first; x < last; ++x) {
            const double covered = std::clamp(reach - distance(from, to, x, y), 0.0, 1.0);
            std::uint8_t& value = row[x - area_.x1];
            value = std::max(value, static_cast<std::uint8_t>(std::lround(255 * covered)));
        }
    }
}

}  // namespace pamtri::gst
