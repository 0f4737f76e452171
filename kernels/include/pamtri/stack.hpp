// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// stack: RGB, upsampled heatmaps and segments as the channels of the re-identification network.
#pragma once

#include "pamtri/half.hpp"

namespace pamtri {

/// A channel's normalization: value * scale + bias.
struct Affine {
    float scale, bias;
};

PAMTRI_HD float normalized(float value, Affine affine) {
    return product(value, affine.scale) + affine.bias;
}

/// A heatmap value in [0, 1]; NaN stays NaN.
PAMTRI_HD float clipped(float value) { return value < 0.0f ? 0.0f : (value > 1.0f ? 1.0f : value); }

/// A picture is this many times as large as its heatmaps.
constexpr int kUpsampling = 4;

/// The two neighbors of an output line among the heatmap's lines, and the second one's weight.
struct LinePair {
    int first, second;
    float weight;
};

/// Bilinear with half-pixel centers: output line i lies at (i + 0.5) / 4 - 0.5; lines past the
/// border repeat the border. The weights are odd eighths, thus exact.
PAMTRI_HD LinePair lines_between(int line, int side) {
    const int shifted = line + kUpsampling / 2;
    const int second = shifted / kUpsampling;
    const float weight = 0.125f + 0.25f * static_cast<float>(shifted % kUpsampling);
    return {clamped(second - 1, 0, side - 1), clamped(second, 0, side - 1), weight};
}

PAMTRI_HD float blended(float first, float second, float weight) {
    return product(first, 1.0f - weight) + product(second, weight);
}

/// What lines_between() gives for output line 4 * cell + phase: the second line's weight. In the
/// first two of the phases the cell is the second line, after that it is the first.
PAMTRI_HD float phase_weight(int phase) {
    return phase == 0 ? 0.625f : (phase == 1 ? 0.875f : (phase == 2 ? 0.125f : 0.375f));
}

/// One of the four values that a cell becomes along a line, from the cell and its neighbors.
PAMTRI_HD float widened(float before, float here, float after, int phase) {
    return phase < 2 ? blended(before, here, phase_weight(phase))
                     : blended(here, after, phase_weight(phase));
}

/// The value of one pixel of an upsampled heatmap, before normalization: along the row first.
template <typename T>
PAMTRI_HD float upsampled(const T* heatmap, int side, int row, int column) {
    const LinePair vertical = lines_between(row, side);
    const LinePair horizontal = lines_between(column, side);
    const T* top = heatmap + vertical.first * side;
    const T* bottom = heatmap + vertical.second * side;
    return blended(blended(clipped(to_float(top[horizontal.first])),
                           clipped(to_float(top[horizontal.second])), horizontal.weight),
                   blended(clipped(to_float(bottom[horizontal.first])),
                           clipped(to_float(bottom[horizontal.second])), horizontal.weight),
                   vertical.weight);
}

}  // namespace pamtri
