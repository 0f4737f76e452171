// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// decode: a heatmap's first highest cell becomes a keypoint.
#pragma once

#include "pamtri/half.hpp"

namespace pamtri {

/// Where a value stands among all values, as a whole number: the higher, the larger. Both zeros
/// stand at zero; NaN is the highest. Unlike a comparison of floats, that of two ranks knows
/// subnormal numbers even where the compiler was told to flush them.
PAMTRI_HD int rank_of(float value) {
    const int bits = bits_of(value);
    const int magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) return 0x7fffffff;
    return bits < 0 ? -magnitude : magnitude;
}

constexpr int kRankOfNan = 0x7fffffff;
constexpr int kBelowAllRanks = -0x7fffffff - 1;

/// The larger of two values; NaN if one of them is.
PAMTRI_HD float larger(float a, float b) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    float value;
    asm("max.NaN.f32 %0, %1, %2;" : "=f"(value) : "f"(a), "f"(b));
    return value;
#else
    return rank_of(a) > rank_of(b) ? a : b;
#endif
}

/// The larger of each of two pairs of halves.
PAMTRI_HD Pack<Half, 2> larger(Pack<Half, 2> a, Pack<Half, 2> b) {
    Pack<Half, 2> pair;
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    asm("max.NaN.f16x2 %0, %1, %2;"
        : "=r"(reinterpret_cast<unsigned&>(pair))
        : "r"(reinterpret_cast<const unsigned&>(a)), "r"(reinterpret_cast<const unsigned&>(b)));
#else
    for (int i = 0; i < 2; ++i) {
        pair.values[i] = rank_of(to_float(a.values[i])) > rank_of(to_float(b.values[i]))
                             ? a.values[i]
                             : b.values[i];
    }
#endif
    return pair;
}

/// The largest of 16 bytes of heatmap; NaN if one is.
PAMTRI_HD float largest(const Pack<float, 4>& pack) {
    return larger(larger(pack.values[0], pack.values[1]), larger(pack.values[2], pack.values[3]));
}

PAMTRI_HD float largest(const Pack<Half, 8>& pack) {
    const Half* at = pack.values;
    const Pack<Half, 2> pair = larger(larger({{at[0], at[1]}}, {{at[2], at[3]}}),
                                      larger({{at[4], at[5]}}, {{at[6], at[7]}}));
    return larger(to_float(pair.values[0]), to_float(pair.values[1]));
}

/// A cell and where its value stands.
struct Peak {
    int rank, cell;
};

/// The higher of two peaks; of equals the one that comes first in the heatmap.
PAMTRI_HD Peak higher(Peak a, Peak b) {
    return a.rank > b.rank || (a.rank == b.rank && a.cell < b.cell) ? a : b;
}

struct Keypoint {
    float x, y, confidence;
};

/// A quarter of a cell towards the higher of two neighbors; nothing where they are equal.
PAMTRI_HD float quarter_step(float before, float after) {
    const int low = rank_of(before);
    const int high = rank_of(after);
    return high > low ? 0.25f : (high < low ? -0.25f : 0.0f);
}

/// The keypoint of a heatmap whose first highest cell is known.
///
/// heatmap: side x side values. cell: row * side + column of the peak. crop_units: x and y as
/// fractions of the crop (cell k covers [k/side, (k+1)/side)) instead of cells. A peak at or below
/// zero, or NaN, has no place: x and y are 0. The quarter step is taken where neither row nor
/// column is 0, 1 or the last, as the original does.
template <typename T>
PAMTRI_HD Keypoint keypoint_at(const T* heatmap, int side, int cell, bool crop_units) {
    const float peak = to_float(heatmap[cell]);
    const int rank = rank_of(peak);
    if (rank <= 0 || rank == kRankOfNan) return {0.0f, 0.0f, peak};
    const int row = cell / side;
    const int column = cell - row * side;
    float x = static_cast<float>(column);
    float y = static_cast<float>(row);
    if (column > 1 && column < side - 1 && row > 1 && row < side - 1) {
        x += quarter_step(to_float(heatmap[cell - 1]), to_float(heatmap[cell + 1]));
        y += quarter_step(to_float(heatmap[cell - side]), to_float(heatmap[cell + side]));
    }
    if (crop_units) {
        x = (x + 0.5f) / static_cast<float>(side);
        y = (y + 0.5f) / static_cast<float>(side);
    }
    return {x, y, peak};
}

}  // namespace pamtri
