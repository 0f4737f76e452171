// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "frame_pixels.hpp"

namespace pamtri::gst {

namespace {

void copy_part(const FramePixels& frame, const core::Rectangle& rectangle, std::uint8_t* rgb) {
    const Channel *red = &frame.channels[0], *green = &frame.channels[1],
                  *blue = &frame.channels[2];
    for (int y = rectangle.y1; y < rectangle.y2; ++y)
        for (int x = rectangle.x1; x < rectangle.x2; ++x, rgb += 3) {
            rgb[0] = red->first[y * red->row_bytes + static_cast<std::ptrdiff_t>(x) * red->step];
            rgb[1] =
                green->first[y * green->row_bytes + static_cast<std::ptrdiff_t>(x) * green->step];
            rgb[2] = blue->first[y * blue->row_bytes + static_cast<std::ptrdiff_t>(x) * blue->step];
        }
}

cpu::PlanarFrame planar(const FramePixels& frame) {
    const Channel &luma = frame.channels[0], &u = frame.channels[1], &v = frame.channels[2];
    return {luma.first, u.first, v.first,          luma.row_bytes,    u.row_bytes, v.row_bytes,
            luma.step,  u.step,  frame.size.width, frame.size.height, frame.rule,  frame.site};
}

}  // namespace

Picture cut(const FramePixels& frame, const core::Rectangle& rectangle) {
    Picture picture;
    picture.width = rectangle.x2 - rectangle.x1;
    picture.height = rectangle.y2 - rectangle.y1;
    picture.rgb.resize(3 * static_cast<std::size_t>(picture.width) *
                       static_cast<std::size_t>(picture.height));
    if (frame.is_yuv)
        cpu::planar_to_rgb(planar(frame), {rectangle.x1, rectangle.y1, rectangle.x2, rectangle.y2},
                           picture.rgb.data());
    else
        copy_part(frame, rectangle, picture.rgb.data());
    return picture;
}

}  // namespace pamtri::gst
