// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// crop: a rectangle of 8-bit pixels resized as cv2.resize with INTER_LINEAR does, bit for bit.
//
// OpenCV's 8-bit path is fixed point: weights have 11 bits; along a row the weighted sum of two
// pixels loses 4 bits; down a column each weighted value loses 16 bits and their sum is rounded
// by two more.
#pragma once

#include "pamtri/common.hpp"

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

/// Where output line i of `size` lies among `extent` source lines: (i + 0.5) * extent / size - 0.5.
///
/// Past the border both lines are the border's. Columns then put the whole weight on one of them;
/// rows keep the fraction, and lose a bit more to rounding: that is how OpenCV does it.
PAMTRI_HD Tap tap_of(int line, int size, int extent, bool column) {
    const double scale = 1.0 / (static_cast<double>(size) / static_cast<double>(extent));
    const float place = static_cast<float>(product(line + 0.5, scale) - 0.5);
    int first = static_cast<int>(place);
    if (static_cast<float>(first) > place) --first;
    float fraction = place - static_cast<float>(first);
    if (column && (first < 0 || first >= extent - 1)) fraction = 0.0f;
    return {clamped(first, 0, extent - 1), clamped(first + 1, 0, extent - 1),
            rounded(product(1.0f - fraction, static_cast<float>(kWeightOne))),
            rounded(product(fraction, static_cast<float>(kWeightOne)))};
}

/// Two pixels of a row blended: up to 255 * 128, which fits 16 bits.
PAMTRI_HD int blended_along_row(int left, int right, int left_weight, int right_weight) {
    return (left * left_weight + right * right_weight) >> 4;
}

/// Two such values, one above the other, blended into a pixel of 0..255.
PAMTRI_HD int blended_down_column(int top, int bottom, int top_weight, int bottom_weight) {
    return (((top * top_weight) >> 16) + ((bottom * bottom_weight) >> 16) + 2) >> 2;
}

/// One channel of one output pixel. row_bytes: from one source row to the next.
PAMTRI_HD int resized_pixel(const unsigned char* pixels, long long row_bytes, const Tap& row,
                            const Tap& column, int channel) {
    const unsigned char* top = pixels + row.first * row_bytes + channel;
    const unsigned char* bottom = pixels + row.second * row_bytes + channel;
    return blended_down_column(
        blended_along_row(top[3 * column.first], top[3 * column.second], column.first_weight,
                          column.second_weight),
        blended_along_row(bottom[3 * column.first], bottom[3 * column.second], column.first_weight,
                          column.second_weight),
        row.first_weight, row.second_weight);
}

}  // namespace pamtri
