// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// decode: a heatmap's first highest cell becomes a keypoint.
#pragma once

#include "pamtri/common.hpp"

namespace pamtri {

struct Keypoint {
    float x, y, confidence;
};

/// A quarter of a cell towards the higher of two neighbours; nothing where they are equal.
PAMTRI_HD float quarter_step(float before, float after) {
    return after > before ? 0.25f : (after < before ? -0.25f : 0.0f);
}

/// The keypoint of a heatmap whose first highest cell is known.
///
/// heatmap: side x side values. cell: row * side + column of the peak. crop_units: x and y as
/// fractions of the crop (cell k covers [k/side, (k+1)/side)) instead of cells. A peak at or below
/// zero, or NaN, has no place: x and y are 0. The quarter step is taken where neither row nor
/// column is 0, 1 or the last, as the original does.
PAMTRI_HD Keypoint keypoint_at(const float* heatmap, int side, int cell, bool crop_units) {
    const float peak = heatmap[cell];
    if (!(peak > 0.0f)) return {0.0f, 0.0f, peak};
    const int row = cell / side;
    const int column = cell - row * side;
    float x = static_cast<float>(column);
    float y = static_cast<float>(row);
    if (column > 1 && column < side - 1 && row > 1 && row < side - 1) {
        x += quarter_step(heatmap[cell - 1], heatmap[cell + 1]);
        y += quarter_step(heatmap[cell - side], heatmap[cell + side]);
    }
    if (crop_units) {
        x = (x + 0.5f) / static_cast<float>(side);
        y = (y + 0.5f) / static_cast<float>(side);
    }
    return {x, y, peak};
}

}  // namespace pamtri
