// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "pamtri/decode.hpp"

#include <cstring>

#include "clones.hpp"
#include "operations.hpp"
#include "parallel.hpp"

namespace pamtri::cpu {
namespace {

constexpr std::size_t kGrain = 72;  // heatmaps of 64 x 64: half a microsecond each

/// Vectors of the compiler's: one register with AVX-512, several elsewhere.
using Lanes = float __attribute__((vector_size(64)));
using LaneIndices = int __attribute__((vector_size(64)));
constexpr int kLanes = 16;

int first_nan(const float* values, int count) {
    int i = 0;
    while (i < count - 1 && values[i] == values[i]) ++i;
    return i;
}

/// The first index of the highest value; where there is a NaN, the first NaN, as NumPy's argmax.
///
/// Each lane remembers its own highest value and where it stood; the lanes are compared at the end.
PAMTRI_CLONES int first_maximum(const float* values, int count) {
    float best = values[0];
    int index = 0;
    int next = 1;
    bool unordered = best != best;
    if (count >= kLanes) {
        Lanes highest;
        std::memcpy(&highest, values, sizeof(highest));
        LaneIndices where{};
        LaneIndices nans = highest != highest;
        for (next = kLanes; next + kLanes <= count; next += kLanes) {
            Lanes part;
            std::memcpy(&part, values + next, sizeof(part));
            const LaneIndices higher = part > highest;
            highest = higher ? part : highest;
            where = higher ? LaneIndices{} + next : where;
            nans |= part != part;
        }
        for (int j = 0; j < kLanes; ++j) {
            const int here = where[j] + j;
            unordered = unordered || nans[j] != 0;
            if (highest[j] > best || (highest[j] == best && here < index)) {
                best = highest[j];
                index = here;
            }
        }
    }
    for (; next < count; ++next) {
        unordered = unordered || values[next] != values[next];
        if (values[next] > best) {
            best = values[next];
            index = next;
        }
    }
    return unordered ? first_nan(values, count) : index;
}

}  // namespace

void decode(const float* heatmaps, std::size_t maps, int side, bool crop_units, float* keypoints) {
    const int cells = side * side;
    parallel_for(maps, kGrain, [=](std::size_t map) {
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
