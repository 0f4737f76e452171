// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// crop: a rectangle of 8-bit pixels resized as cv2.resize with INTER_LINEAR does, bit for bit.
//
// OpenCV's 8-bit path is fixed point: weights have 11 bits; along a row the weighted sum of two
// pixels loses 4 bits; down a column each weighted value loses 16 bits and their sum is rounded
// by two more.
#pragma once

#include "pamtri/pixels.hpp"

namespace pamtri {

constexpr int kWeightOne = 2048;

/// The two source lines of an output line, and their weights, in units of 1/2048.
struct Tap {
    int first, second;
    int first_weight, second_weight;
};

/// Round to the nearest integer, halves to even, for values from 0 to 2048.
PAMTRI_HD int rounded(float value) {
    const int whole = static_cast<int>(value);
    const float rest = value - static_cast<float>(whole);
    return whole + (rest > 0.5f || (rest == 0.5f && whole % 2 != 0));
}

/// How many source lines an output line is wide.
PAMTRI_HD double scale_of(int size, int extent) {
    return 1.0 / (static_cast<double>(size) / static_cast<double>(extent));
}

/// Where an output line lies among `extent` source lines: (line + 0.5) * scale - 0.5.
///
/// Past the border both lines are the border's. Columns then put the whole weight on one of them;
/// rows keep the fraction, and lose a bit more to rounding: that is how OpenCV does it.
PAMTRI_HD Tap tap_at(int line, double scale, int extent, bool column) {
    const float place = static_cast<float>(product(line + 0.5, scale) - 0.5);
    int first = static_cast<int>(place);
    if (static_cast<float>(first) > place) --first;
    float fraction = place - static_cast<float>(first);
    if (column && (first < 0 || first >= extent - 1)) fraction = 0.0f;
    return {clamped(first, 0, extent - 1), clamped(first + 1, 0, extent - 1),
            rounded(product(1.0f - fraction, static_cast<float>(kWeightOne))),
            rounded(product(fraction, static_cast<float>(kWeightOne)))};
}

PAMTRI_HD Tap tap_of(int line, int size, int extent, bool column) {
    return tap_at(line, scale_of(size, extent), extent, column);
}

/// Two pixels of a row blended: up to 255 * 128, which fits 16 bits.
PAMTRI_HD int blended_along_row(int left, int right, int left_weight, int right_weight) {
    return (left * left_weight + right * right_weight) >> 4;
}

/// Two such values, one above the other, blended into a pixel of 0..255.
PAMTRI_HD int blended_down_column(int top, int bottom, int top_weight, int bottom_weight) {
    return (((top * top_weight) >> 16) + ((bottom * bottom_weight) >> 16) + 2) >> 2;
}

/// A rectangle of a frame, and its scale_of() in both directions (a division that the host has
/// done).
struct CropSource {
    Surface surface;
    int x, y, width, height;
    double scale_x, scale_y;
};

PAMTRI_HD Rgb blended_along_row(const Rgb& left, const Rgb& right, const Tap& column) {
    const int u = column.first_weight;
    const int v = column.second_weight;
    return {blended_along_row(left.red, right.red, u, v),
            blended_along_row(left.green, right.green, u, v),
            blended_along_row(left.blue, right.blue, u, v)};
}

/// One output pixel of a resized rectangle.
template <int Form>
PAMTRI_HD Rgb resized_pixel(const CropSource& source, const ConversionRule& rule, const Tap& row,
                            const Tap& column) {
    const int left = source.x + column.first;
    const int right = source.x + column.second;
    const int top = source.y + row.first;
    const int bottom = source.y + row.second;
    const Rgb above = blended_along_row(pixel_at<Form>(source.surface, rule, left, top),
                                        pixel_at<Form>(source.surface, rule, right, top), column);
    const Rgb below =
        blended_along_row(pixel_at<Form>(source.surface, rule, left, bottom),
                          pixel_at<Form>(source.surface, rule, right, bottom), column);
    return {blended_down_column(above.red, below.red, row.first_weight, row.second_weight),
            blended_down_column(above.green, below.green, row.first_weight, row.second_weight),
            blended_down_column(above.blue, below.blue, row.first_weight, row.second_weight)};
}

}  // namespace pamtri
