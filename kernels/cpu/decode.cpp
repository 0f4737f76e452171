// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "pamtri/decode.hpp"

#include "clones.hpp"
#include "operations.hpp"
#include "parallel.hpp"

namespace pamtri::cpu {
namespace {

constexpr int kLanes = 16;
constexpr int kBlock = 64;

/// The first index of the highest value; where there is a NaN, the first NaN, as NumPy's argmax.
///
/// Blocks are reduced lane by lane (which compilers vectorise, unlike a search for an index), then
/// only the first block that holds the maximum is searched.
PAMTRI_CLONES int first_maximum(const float* values, int count) {
    float best = values[0];
    int best_block = 0;
    const int whole = count - count % kBlock;
    for (int start = 0; start < whole; start += kBlock) {
        float lanes[kLanes];
        int unordered[kLanes] = {};
        for (int j = 0; j < kLanes; ++j) lanes[j] = values[start + j];
        for (int i = start; i < start + kBlock; i += kLanes) {
            for (int j = 0; j < kLanes; ++j) {
                const float value = values[i + j];
                lanes[j] = value > lanes[j] ? value : lanes[j];
                unordered[j] |= value != value;
            }
        }
        float highest = lanes[0];
        int any_unordered = 0;
        for (int j = 0; j < kLanes; ++j) {
            highest = lanes[j] > highest ? lanes[j] : highest;
            any_unordered |= unordered[j];
        }
        if (any_unordered) {
            for (int i = start;; ++i) {
                if (values[i] != values[i]) return i;
            }
        }
        if (highest > best) {
            best = highest;
            best_block = start;
        }
    }
    int found = -1;
    for (int i = whole; i < count; ++i) {
        if (values[i] != values[i]) return i;
        if (values[i] > best) {
            best = values[i];
            found = i;
        }
    }
    if (found >= 0) return found;
    while (values[best_block] != best) ++best_block;
    return best_block;
}

}  // namespace

void decode(const float* heatmaps, std::size_t maps, int side, bool crop_units, float* keypoints) {
    const int cells = side * side;
    parallel_for(maps, [=](std::size_t map) {
        const float* heatmap = heatmaps + map * static_cast<std::size_t>(cells);
        const Keypoint keypoint =
            keypoint_at(heatmap, side, first_maximum(heatmap, cells), crop_units);
        float* row = keypoints + map * 3;
        row[0] = keypoint.x;
        row[1] = keypoint.y;
        row[2] = keypoint.confidence;
    });
}

}  // namespace pamtri::cpu
