// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// A frame's pixels as 8-bit RGB, however they lie in memory: pitch-linear RGB, RGBA and NV12.
//
// NV12 is a plane of luma and one, half as wide and high, of chroma pairs U, V. As kNv12 a pair
// belongs to the two by two pixels that it covers and is not interpolated. As kNv12Sited it is,
// linearly, lying where MPEG-2, H.264 and H.265 have it if they say nothing: on the first of two
// columns, between two rows. These are the pixels of cpu/planar.hpp, bit for bit. Four conversions
// are in use; NvBufSurface calls them NV12, NV12_709, NV12_ER and NV12_709_ER ("extended range").
// Each is R'G'B' from Y'CbCr by ITU-R BT.601-7 or BT.709-6 (section 3 of each), with 8-bit studio
// levels (luma 16..235, chroma 16..240) or the full range 0..255, in fixed point of 20 bits,
// rounded half up. Luma below black counts as what it is, as in FFmpeg and GStreamer; OpenCV takes
// it for black and has constants of three decimals, a level off in places.
//
// Pitch-linear means row after row. A Jetson's decoder gives NV12 in blocks
// (NVBUF_LAYOUT_BLOCK_LINEAR), which looks the same from outside: such a surface goes through
// NvBufSurfTransform first.
#pragma once

#include "pamtri/common.hpp"

namespace pamtri {

enum PixelForm { kRgb = 0, kRgba = 1, kNv12 = 2, kNv12Sited = 3 };

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
    const unsigned char* pixels;      // or luma
    const unsigned char* chroma;      // of NV12
    int pitch, chroma_pitch;          // bytes from one row to the next
    int chroma_columns, chroma_rows;  // of kNv12Sited: pairs in a row, and rows of them
};

/// Chroma is a sum of quarters of quarters, so in sixteenths: with these the products of a
/// conversion fit 32 bits, with 17 of fraction.
constexpr int kChromaQuarters = 4;
constexpr int kSixteenthBits = 4;
constexpr int kSitedBits = 17;

PAMTRI_HD int shortened_factor(int factor) {
    return (factor + (1 << (kConversionBits - kSitedBits - 1))) >> (kConversionBits - kSitedBits);
}

/// As `converted`, of chroma in sixteenths.
PAMTRI_HD Rgb converted_sixteenths(int luma, int u, int v, const ConversionRule& rule) {
    constexpr int shift = kSitedBits + kSixteenthBits;
    const int base =
        (luma - rule.black) * (shortened_factor(rule.luma) << kSixteenthBits) + (1 << (shift - 1));
    u -= 128 << kSixteenthBits;
    v -= 128 << kSixteenthBits;
    const int green = shortened_factor(rule.green_u) * u + shortened_factor(rule.green_v) * v;
    return {clamped((base + shortened_factor(rule.red_v) * v) >> shift, 0, 255),
            clamped((base + green) >> shift, 0, 255),
            clamped((base + shortened_factor(rule.blue_u) * u) >> shift, 0, 255)};
}

/// A value between two neighbors: their numbers, and the quarters that each counts.
struct Neighbors {
    int first, second, of_first, of_second;
};

PAMTRI_HD Neighbors chroma_columns_of(int x, int columns) {
    const int half = x / 2;
    if (x % 2 == 0) return {half, half, kChromaQuarters, 0};
    return {half, half + 1 < columns ? half + 1 : columns - 1, 2, 2};
}

PAMTRI_HD Neighbors chroma_rows_of(int y, int rows) {
    const int half = y / 2;
    if (y % 2 == 0) return {half > 0 ? half - 1 : 0, half, 1, 3};
    return {half, half + 1 < rows ? half + 1 : rows - 1, 3, 1};
}

/// U and V in one number, 16 bits each: sums of sixteen of them fit, and need half the registers.
PAMTRI_HD int chroma_pair(const unsigned char* row, int column) {
    return row[2 * column] | (row[2 * column + 1] << 16);
}

PAMTRI_HD Rgb sited_pixel(const Surface& surface, const ConversionRule& rule, int x, int y) {
    const Neighbors down = chroma_rows_of(y, surface.chroma_rows);
    const Neighbors across = chroma_columns_of(x, surface.chroma_columns);
    int pair = 0;
    for (int i = 0; i < 2; ++i) {
        const int number = i == 0 ? down.first : down.second;
        const int counts = i == 0 ? down.of_first : down.of_second;
        const unsigned char* row =
            surface.chroma + static_cast<long long>(number) * surface.chroma_pitch;
        pair += counts * (across.of_first * chroma_pair(row, across.first) +
                          across.of_second * chroma_pair(row, across.second));
    }
    const int luma = surface.pixels[static_cast<long long>(y) * surface.pitch + x];
    return converted_sixteenths(luma, pair & 0xffff, pair >> 16, rule);
}

template <int Form>
PAMTRI_HD Rgb pixel_at(const Surface& surface, const ConversionRule& rule, int x, int y) {
    if (Form == kNv12Sited) return sited_pixel(surface, rule, x, y);
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
