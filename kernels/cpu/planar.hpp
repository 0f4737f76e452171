// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// A frame of Y, U, V in host memory as 8-bit RGB. Chroma has half the width and height (4:2:0): its
// values lie where the stream says ("sited", ITU-T H.273 chroma_sample_loc_type), and between them
// it is interpolated linearly, as FFmpeg (with SWS_FULL_CHR_H_INT and SWS_ACCURATE_RND) and
// GStreamer's videoconvert do. The matrix is that of pamtri/pixels.hpp. Of a thousand pixels one at
// most is a level off what real numbers, rounded half up, give.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pamtri/pixels.hpp"

namespace pamtri::cpu {

/// The conversion of a matrix by the shares of red and blue in luma, from 8-bit studio levels or
/// the full range.
ConversionRule rule_of(double kr, double kb, bool full);

/// Where chroma lies, along each axis: on the first of its two pixels, or between them.
struct ChromaSite {
    bool on_column = true;  // MPEG-2, H.264 and H.265, where they say nothing
    bool on_row = false;
};

/// A plane of luma and two of chroma, which may be the halves of pairs (NV12).
struct PlanarFrame {
    const std::uint8_t *luma, *u, *v;
    std::ptrdiff_t luma_row_bytes, u_row_bytes, v_row_bytes;
    int luma_step, chroma_step;  // bytes from a value to the next
    int width, height;
    ConversionRule rule;
    ChromaSite site;
};

/// A part of a frame, inside it; x2 and y2 are the first that are not.
struct Part {
    int x1, y1, x2, y2;
};

/// frame -> (y2 - y1, x2 - x1, 3) RGB of a part of it: the same pixels as of the whole.
void planar_to_rgb(const PlanarFrame& frame, const Part& part, std::uint8_t* rgb);

}  // namespace pamtri::cpu
