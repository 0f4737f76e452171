// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// A frame's pixels as 8-bit RGB, however they lie in memory: pitch-linear RGB, RGBA and NV12.
//
// NV12 is a plane of luma and one, half as wide and high, of chroma pairs U, V; a pair belongs to
// the two by two pixels that it covers and is not interpolated (frames in host memory are: see
// cpu/planar.hpp). Four conversions are in use; NvBufSurface calls them NV12, NV12_709, NV12_ER and
// NV12_709_ER ("extended range"). Each is R'G'B' from Y'CbCr by ITU-R BT.601-7 or BT.709-6 (section
// 3 of each), with 8-bit studio levels (luma 16..235, chroma 16..240) or the full range 0..255, in
// fixed point of 20 bits, rounded half up. Luma below black counts as what it is, as in FFmpeg and
// GStreamer; OpenCV takes it for black and has constants of three decimals, a level off in places.
//
// Pitch-linear means row after row. A Jetson's decoder gives NV12 in blocks
// (NVBUF_LAYOUT_BLOCK_LINEAR), which looks the same from outside: such a surface goes through
// NvBufSurfTransform first.
#pragma once

#include "pamtri/common.hpp"

namespace pamtri {

enum PixelForm { kRgb = 0, kRgba = 1, kNv12 = 2 };

enum Conversion {
    kBt601 = 0,
    kBt709 = 1,
    kBt601Full = 2,
    kBt709Full = 3,
    kBt2020 = 4,
    kBt2020Full = 5
};

/// How a surface's bytes lie; the numbers are those of NvBufSurfaceLayout.
enum Layout { kPitchLinear = 0, kBlockLinear = 1 };

/// Lines of the tallest picture that is of standard definition.
constexpr int kMostStandardLines = 576;

constexpr int kConversionBits = 20;

struct Rgb {
    int red, green, blue;
};

/// Coefficients in units of 2^-20: of luma above `black`, and of chroma about 128.
struct ConversionRule {
    int black, luma, red_v, green_u, green_v, blue_u;
};

/// The conversion of a frame whose source names none: what cameras and encoders use for its size.
PAMTRI_HD Conversion usual_conversion(int height) {
    return height > kMostStandardLines ? kBt709 : kBt601;
}

PAMTRI_HD ConversionRule conversion_rule(int conversion) {
    switch (conversion) {
        case kBt709:
            return {16, 1220945, 1879825, -223607, -558796, 2215014};
        case kBt601Full:
            return {0, 1048576, 1470104, -360853, -748826, 1858077};
        case kBt709Full:
            return {0, 1048576, 1651297, -196424, -490864, 1945738};
        case kBt2020:
            return {16, 1220945, 1760217, -196426, -682019, 2245811};
        case kBt2020Full:
            return {0, 1048576, 1546230, -172546, -599107, 1972791};
        default:
            return {16, 1220945, 1673555, -410793, -852458, 2115221};
    }
}

PAMTRI_HD Rgb converted(int luma, int u, int v, const ConversionRule& rule) {
    const int base = (luma - rule.black) * rule.luma + (1 << (kConversionBits - 1));
    u -= 128;
    v -= 128;
    return {clamped((base + rule.red_v * v) >> kConversionBits, 0, 255),
            clamped((base + rule.green_v * v + rule.green_u * u) >> kConversionBits, 0, 255),
            clamped((base + rule.blue_u * u) >> kConversionBits, 0, 255)};
}

/// A frame: rows may be further apart than they are long.
struct Surface {
    const unsigned char* pixels;  // or luma
    const unsigned char* chroma;  // of NV12
    int pitch, chroma_pitch;      // bytes from one row to the next
};

template <int Form>
PAMTRI_HD Rgb pixel_at(const Surface& surface, const ConversionRule& rule, int x, int y) {
    const unsigned char* row = surface.pixels + static_cast<long long>(y) * surface.pitch;
    if (Form == kNv12) {
        const unsigned char* pair =
            surface.chroma + static_cast<long long>(y / 2) * surface.chroma_pitch + (x & ~1);
        return converted(row[x], pair[0], pair[1], rule);
    }
    const unsigned char* pixel = row + (Form == kRgba ? 4 : 3) * static_cast<long long>(x);
    return {pixel[0], pixel[1], pixel[2]};
}

}  // namespace pamtri
