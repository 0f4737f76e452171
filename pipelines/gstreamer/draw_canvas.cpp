// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "draw_canvas.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "video_frame.hpp"

namespace pamtri::gst {

namespace {

int byte_of(double value) { return static_cast<int>(std::lround(std::clamp(value, 0.0, 255.0))); }

constexpr int kBare = 8;  // columns that are looked at at once; a multiple of what shares chroma

/// Whether a mask covers nothing of so many columns of some rows.
bool is_bare(const Mask& mask, int x, int first_row, int end_row) {
    if (x < mask.area().x1 || x + kBare > mask.area().x2) return false;
    std::uint64_t covered = 0;
    for (int y = first_row; y < end_row; ++y) {
        std::uint64_t values;
        static_assert(sizeof values == kBare);
        std::memcpy(&values, mask.row(y) + (x - mask.area().x1), sizeof values);
        covered |= values;
    }
    return covered == 0;
}

}  // namespace

Rgb yuv_of(const core::OverlayColor& color, const ConversionRule& rule) {
    // R = L + a V, G = L + b U + c V, B = L + d U, solved for L, U and V.
    const double one = 1 << kConversionBits;
    const double a = rule.red_v / one, b = rule.green_u / one, c = rule.green_v / one;
    const double d = rule.blue_u / one;
    const double light =
        (color.green - b / d * color.blue - c / a * color.red) / (1 - b / d - c / a);
    return {byte_of(rule.black + light * one / rule.luma), byte_of(128 + (color.blue - light) / d),
            byte_of(128 + (color.red - light) / a)};
}

Canvas::Canvas(const GstVideoFrame& frame) {
    const FramePixels pixels = pixels_of(frame);
    size_ = pixels.size;
    is_yuv_ = pixels.is_yuv;
    rule_ = pixels.rule;
    for (guint i = 0; i < 3; ++i) {
        const Channel& channel = pixels.channels[i];
        planes_[i] = {static_cast<std::uint8_t*>(GST_VIDEO_FRAME_COMP_DATA(&frame, i)),
                      channel.row_bytes, channel.step,
                      static_cast<int>(GST_VIDEO_FORMAT_INFO_W_SUB(frame.info.finfo, i))};
    }
}

void Canvas::paint(const Mask& mask, const core::OverlayColor& color) {
    if (mask.empty()) return;
    const Rgb values = is_yuv_ ? yuv_of(color, rule_) : Rgb{color.red, color.green, color.blue};
    paint(planes_[0], mask, values.red);
    paint(planes_[1], mask, values.green);
    paint(planes_[2], mask, values.blue);
}

void Canvas::paint(const Plane& plane, const Mask& mask, int value) {
    const core::Rectangle& area = mask.area();
    const int side = 1 << plane.shrink;
    for (int y = area.y1 & ~(side - 1); y < area.y2; y += side) {
        std::uint8_t* row = plane.first + (y >> plane.shrink) * plane.row_bytes;
        const int first = std::max(y, area.y1), end = std::min(y + side, area.y2);
        for (int x = area.x1 & ~(side - 1); x < area.x2; x += side) {
            if (is_bare(mask, x, first, end)) {  // most of it is: shapes are outlines
                x += kBare - side;
                continue;
            }
            int covered = 0;
            for (int v = first; v < end; ++v)
                for (int u = std::max(x, area.x1); u < std::min(x + side, area.x2); ++u)
                    covered += mask.row(v)[u - area.x1];
            if (covered == 0) continue;
            // At an odd edge fewer pixels share a value.
            const int sharing = std::min(side, size_.width - x) * std::min(side, size_.height - y);
            const int whole = 255 * sharing;
            std::uint8_t& place = row[static_cast<std::ptrdiff_t>(x >> plane.shrink) * plane.step];
            place = static_cast<std::uint8_t>(
                (place * (whole - covered) + value * covered + whole / 2) / whole);
        }
    }
}

}  // namespace pamtri::gst
