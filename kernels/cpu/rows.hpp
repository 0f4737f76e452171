// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The inner loops along a row of pixels, in the forms that processors have. All forms give the same
// bits; which one is used is decided when the first asks.
#pragma once

#include <cstdint>
#include <vector>

#include "pamtri/sharpness.hpp"

namespace pamtri::cpu {

/// Between which two pixels the columns of a resized row lie, offsets in bytes.
struct Columns {
    Columns(int size, int extent);

    int size() const { return static_cast<int>(left.size()); }

    std::vector<int> left, right, left_weight, right_weight;
    std::vector<std::int16_t>
        weights;    ///< of column i at 8 i: left, right, three times; then zeros
    int inner = 0;  ///< of so many columns the right pixel follows the left, and two more bytes
};

/// The loops. A half-blended row is of 4 size() values, in an order that is the form's own matter.
struct RowLoops {
    /// A row of pixels to a half-blended one.
    void (*blend_row)(const std::uint8_t* pixels, const Columns& columns, std::int16_t* out);
    /// Two half-blended rows to a row of each color.
    void (*blend_column)(const std::int16_t* top, const std::int16_t* bottom, const Tap& tap,
                         int size, float* const colors[3]);
    /// The sums of pixels of a row, weighted, for 64 columns; of each three colors and no matter.
    void (*sum_row)(const std::uint8_t* row, const AreaSpan* columns, float* sums);
    /// Such sums over rows to the brightness of 64 columns.
    void (*gray_row)(const float* sums, bool swap_channels, unsigned char* gray);
};

/// In C++ alone.
extern const RowLoops kPlainLoops;

/// With AVX2; null where that is not to be had.
const RowLoops* avx2_loops();

/// The fastest that this processor has; the plain ones after use_plain_loops(true).
const RowLoops& row_loops();

/// Do without what this processor has and others have not: for tests.
void use_plain_loops(bool plain);

}  // namespace pamtri::cpu
