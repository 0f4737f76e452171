// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// decode: (maps, side, side) heatmaps -> (maps, 3) keypoints, a block a heatmap, which is read
// once.
#include "pamtri/decode.hpp"
#include "pamtri/tasks.hpp"

namespace pamtri {
namespace {

constexpr int kDecodeWarps = kDecodeThreads / kWarp;
constexpr int kPackBytes = 16;

/// The highest of the packs that are this thread's; its cell is the pack's first.
template <typename T>
__device__ Peak highest_pack(const T* heatmap, int cells) {
    constexpr int kPer = kPackBytes / static_cast<int>(sizeof(T));
    constexpr int kUnderWay = 4096 / (kDecodeThreads * kPer);
    const int count = cells / kPer;
    Peak best{kBelowAllRanks, 0};
    for (int first = static_cast<int>(threadIdx.x); first < count;
         first += kUnderWay * kDecodeThreads) {
        Pack<T, kPer> packs[kUnderWay];
        PAMTRI_UNROLL
        for (int i = 0; i < kUnderWay; ++i) {
            const int index = first + i * kDecodeThreads;  // past the end: the first again
            packs[i] = loaded<kPer>(heatmap + (index < count ? index : first) * kPer);
        }
        PAMTRI_UNROLL
        for (int i = 0; i < kUnderWay; ++i) {
            const int rank = rank_of(largest(packs[i]));
            if (rank > best.rank) best = {rank, (first + i * kDecodeThreads) * kPer};
        }
    }
    return best;
}

template <typename T>
__device__ Peak highest_cell(const T* heatmap, int cells) {
    Peak best{kBelowAllRanks, 0};
    for (int cell = static_cast<int>(threadIdx.x); cell < cells; cell += kDecodeThreads) {
        const int rank = rank_of(to_float(heatmap[cell]));
        if (rank > best.rank) best = {rank, cell};
    }
    return best;
}

/// The highest peak of a warp's threads, in every one of them.
__device__ Peak highest_of_warp(Peak peak) {
    for (int distance = kWarp / 2; distance > 0; distance /= 2) {
        const Peak other{__shfl_xor_sync(0xffffffffu, peak.rank, distance),
                         __shfl_xor_sync(0xffffffffu, peak.cell, distance)};
        peak = higher(peak, other);
    }
    return peak;
}

template <typename T>
__device__ void decode(const T* heatmaps, float* keypoints, int side, bool crop_units, bool vectors,
                       Peak (&of_warps)[kDecodeWarps]) {
    constexpr int kPer = kPackBytes / static_cast<int>(sizeof(T));
    const int cells = side * side;
    const T* heatmap = heatmaps + static_cast<long long>(blockIdx.x) * cells;
    const int thread = static_cast<int>(threadIdx.x);
    Peak peak =
        highest_of_warp(vectors ? highest_pack(heatmap, cells) : highest_cell(heatmap, cells));
    if (thread % kWarp == 0) of_warps[thread / kWarp] = peak;
    __syncthreads();
    if (thread != 0) return;
    for (int warp = 1; warp < kDecodeWarps; ++warp) peak = higher(peak, of_warps[warp]);
    if (vectors) {
        const Pack<T, kPer> pack = loaded<kPer>(heatmap + peak.cell);
        int place = 0;
        PAMTRI_UNROLL
        for (int i = kPer - 1; i >= 0; --i) {
            if (rank_of(to_float(pack.values[i])) == peak.rank) place = i;
        }
        peak.cell += place;
    }
    const Keypoint keypoint = keypoint_at(heatmap, side, peak.cell, crop_units);
    float* row = keypoints + static_cast<long long>(blockIdx.x) * 3;
    row[0] = keypoint.x;
    row[1] = keypoint.y;
    row[2] = keypoint.confidence;
}

}  // namespace
}  // namespace pamtri

/// Blocks: heatmaps. vectors: a heatmap has a multiple of 16 bytes and begins at one.
extern "C" __global__ void __launch_bounds__(pamtri::kDecodeThreads)
    pamtri_decode_float(const float* heatmaps, float* keypoints, int side, int crop_units,
                        int vectors) {
    __shared__ pamtri::Peak of_warps[pamtri::kDecodeWarps];
    pamtri::decode(heatmaps, keypoints, side, crop_units != 0, vectors != 0, of_warps);
}

extern "C" __global__ void __launch_bounds__(pamtri::kDecodeThreads)
    pamtri_decode_half(const pamtri::Half* heatmaps, float* keypoints, int side, int crop_units,
                       int vectors) {
    __shared__ pamtri::Peak of_warps[pamtri::kDecodeWarps];
    pamtri::decode(heatmaps, keypoints, side, crop_units != 0, vectors != 0, of_warps);
}
