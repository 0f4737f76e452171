// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// segments: (vehicles, keypoints, 3) -> (vehicles, segments, size, size) masks, a block a band of
// one.
#include "band.cuh"
#include "pamtri/segments.hpp"

namespace pamtri {
namespace {

template <typename T>
__device__ void segments(const SegmentsTask& task, BandSpans& spans) {
    const Band band = band_of(blockIdx.x, task.size);
    const int vehicle = band.plane / task.count;
    const float* keypoints =
        task.keypoints + static_cast<long long>(vehicle) * task.per_vehicle * 3;
    find_spans(keypoints, task.corners.rows[band.plane - vehicle * task.count], task.size,
               task.threshold, band, spans);
    T* plane =
        static_cast<T*>(task.out) + static_cast<long long>(band.plane) * task.size * task.size;
    write_band(plane, task.size, band, task.vectors != 0, Drawn{spans, band.first, 0.0f, 1.0f});
}

}  // namespace
}  // namespace pamtri

/// Blocks: vehicles * segments * bands of a plane.
extern "C" __global__ void __launch_bounds__(pamtri::kBandColumns* pamtri::kBandLines)
    pamtri_segments_float(const __grid_constant__ pamtri::SegmentsTask task) {
    __shared__ pamtri::BandSpans spans;
    pamtri::segments<float>(task, spans);
}

extern "C" __global__ void __launch_bounds__(pamtri::kBandColumns* pamtri::kBandLines)
    pamtri_segments_half(const __grid_constant__ pamtri::SegmentsTask task) {
    __shared__ pamtri::BandSpans spans;
    pamtri::segments<pamtri::Half>(task, spans);
}
