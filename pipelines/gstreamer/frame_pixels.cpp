// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "frame_pixels.hpp"

namespace pamtri::gst {

namespace {

/// The row of a channel in which a row of pixels has its values.
const std::uint8_t* row_of(const Channel& channel, int y) {
    return channel.first + (y >> channel.shrink) * channel.row_bytes;
}

int value_at(const Channel& channel, const std::uint8_t* row, int x) {
    return row[static_cast<std::ptrdiff_t>(x >> channel.shrink) * channel.step];
}

}  // namespace

Picture cut(const FramePixels& frame, const core::Rectangle& rectangle) {
    Picture picture;
    picture.width = rectangle.x2 - rectangle.x1;
    picture.height = rectangle.y2 - rectangle.y1;
    picture.rgb.resize(3 * static_cast<std::size_t>(picture.width) *
                       static_cast<std::size_t>(picture.height));
    std::uint8_t* out = picture.rgb.data();
    const Channel *a = &frame.channels[0], *b = &frame.channels[1], *c = &frame.channels[2];
    for (int y = rectangle.y1; y < rectangle.y2; ++y) {
        const std::uint8_t *first = row_of(*a, y), *second = row_of(*b, y), *third = row_of(*c, y);
        for (int x = rectangle.x1; x < rectangle.x2; ++x, out += 3) {
            Rgb pixel{value_at(*a, first, x), value_at(*b, second, x), value_at(*c, third, x)};
            if (frame.is_yuv) pixel = converted(pixel.red, pixel.green, pixel.blue, frame.rule);
            out[0] = static_cast<std::uint8_t>(pixel.red);
            out[1] = static_cast<std::uint8_t>(pixel.green);
            out[2] = static_cast<std::uint8_t>(pixel.blue);
        }
    }
    return picture;
}

}  // namespace pamtri::gst
