// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "pamtri/stack.hpp"

#include <utility>
#include <vector>

#include "clones.hpp"
#include "operations.hpp"
#include "parallel.hpp"

namespace pamtri::cpu {
namespace {

PAMTRI_CLONES void normalise(const float* values, std::size_t count, Affine affine, float* out) {
    for (std::size_t i = 0; i < count; ++i) out[i] = normalised(values[i], affine);
}

/// A heatmap row, clipped and four times as long. padded: room for side + 2 values.
PAMTRI_CLONES void widen(const float* row, int side, float* padded, float* wide) {
    for (int i = 0; i < side; ++i) padded[i + 1] = clipped(row[i]);
    padded[0] = padded[1];
    padded[side + 1] = padded[side];
    for (int i = 0; i < side; ++i) {
        const float before = padded[i], here = padded[i + 1], after = padded[i + 2];
        wide[4 * i] = blended(before, here, 0.625f);
        wide[4 * i + 1] = blended(before, here, 0.875f);
        wide[4 * i + 2] = blended(here, after, 0.125f);
        wide[4 * i + 3] = blended(here, after, 0.375f);
    }
}

PAMTRI_CLONES void blend_rows(const float* first, const float* second, float weight, int count,
                              Affine affine, float* out) {
    for (int i = 0; i < count; ++i)
        out[i] = normalised(blended(first[i], second[i], weight), affine);
}

/// A heatmap to a normalised plane of four times its side. Each heatmap row is widened once.
void upsample(const float* heatmap, int side, Affine affine, float* plane) {
    const int size = side * kUpsampling;
    std::vector<float> scratch(static_cast<std::size_t>(2 * size + side + 2));
    float* above = scratch.data();
    float* below = above + size;
    float* padded = below + size;
    int below_row = -1;
    for (int line = 0; line < size; ++line, plane += size) {
        const Neighbours rows = neighbours_of(line, side);
        if (rows.second != below_row) {
            std::swap(above, below);
            widen(heatmap + rows.second * side, side, padded, below);
            below_row = rows.second;
        }
        const float* first = rows.first == below_row ? below : above;  // at the border they are one
        blend_rows(first, below, rows.weight, size, affine, plane);
    }
}

}  // namespace

void stack(const StackInputs& inputs, float* out) {
    const int side = inputs.size / kUpsampling;
    const std::size_t plane =
        static_cast<std::size_t>(inputs.size) * static_cast<std::size_t>(inputs.size);
    const std::size_t cells = static_cast<std::size_t>(side) * static_cast<std::size_t>(side);
    const std::size_t channels = 3 + inputs.heatmap_count + inputs.rule.count;
    parallel_for(inputs.vehicles * channels, [&](std::size_t item) {
        const std::size_t vehicle = item / channels;
        std::size_t channel = item % channels;
        float* target = out + item * plane;
        if (channel < 3) {
            normalise(inputs.images + (vehicle * 3 + channel) * plane, plane, inputs.rgb[channel],
                      target);
            return;
        }
        channel -= 3;
        if (channel < inputs.heatmap_count) {
            const float* heatmap =
                inputs.heatmaps + (vehicle * inputs.heatmap_count + channel) * cells;
            upsample(heatmap, side, inputs.extra, target);
            return;
        }
        channel -= inputs.heatmap_count;
        if (inputs.segments != nullptr) {
            const float* segment =
                inputs.segments + (vehicle * inputs.rule.count + channel) * plane;
            normalise(segment, plane, inputs.extra, target);
            return;
        }
        const Quad quad =
            quad_of(inputs.keypoints + vehicle * inputs.per_vehicle * 3,
                    inputs.rule.corners + channel * 4, inputs.size, inputs.rule.threshold);
        draw(quad, inputs.size, normalised(0.0f, inputs.extra), normalised(1.0f, inputs.extra),
             target);
    });
}

}  // namespace pamtri::cpu
