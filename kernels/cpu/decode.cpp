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

int first_nan(const float* values, int count) {
    int i = 0;
    while (i < count - 1 && values[i] == values[i]) ++i;
    return i;
}

/// Vectors of the compiler's.
template <int Bytes>
struct Vectors {
    typedef float Floats __attribute__((vector_size(Bytes)));
    typedef int Indices __attribute__((vector_size(Bytes)));
};

/// The first index of the highest value; where there is a NaN, the first NaN, as NumPy's argmax.
///
/// Each lane of `Chains` vectors remembers its own highest value and where it stood; they are
/// compared at the end. `Bytes` are those of a register: of a wider vector the compiler would
/// compare the values one by one.
template <int Bytes, int Chains>
inline __attribute__((always_inline)) int first_maximum_by(const float* values, int count) {
    using Lanes = typename Vectors<Bytes>::Floats;
    using LaneIndices = typename Vectors<Bytes>::Indices;
    constexpr int lanes = Bytes / 4, step = lanes * Chains;
    float best = values[0];
    int index = 0;
    int next = 1;
    bool unordered = best != best;
    if (count >= step) {
        Lanes highest[Chains];
        LaneIndices where[Chains] = {};
        LaneIndices nans{};
        std::memcpy(highest, values, sizeof(highest));
        for (const Lanes& part : highest) nans |= part != part;
        for (next = step; next + step <= count; next += step) {
            for (int chain = 0; chain < Chains; ++chain) {
                Lanes part;
                std::memcpy(&part, values + next + chain * lanes, sizeof(part));
                const LaneIndices higher = part > highest[chain];
                highest[chain] = higher ? part : highest[chain];
                where[chain] = higher ? LaneIndices{} + next : where[chain];
                nans |= part != part;
            }
        }
        for (int j = 0; j < step; ++j) {
            const int chain = j / lanes, lane = j % lanes;
            const float value = highest[chain][lane];
            const int here = where[chain][lane] + j;
            unordered = unordered || nans[lane] != 0;
            if (value > best || (value == best && here < index)) {
                best = value;
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

#if defined(PAMTRI_GENERATIONS)
__attribute__((target("avx512f"))) int first_maximum(const float* values, int count) {
    return first_maximum_by<64, 1>(values, count);
}

__attribute__((target("avx2"))) int first_maximum(const float* values, int count) {
    return first_maximum_by<32, 4>(values, count);
}

__attribute__((target("default")))
#endif
int first_maximum(const float* values, int count) {
    return first_maximum_by<16, 4>(values, count);
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
