// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// sharpness: rectangles of frames -> (count) doubles, a block a picture.
#include "pamtri/sharpness.hpp"
#include "pamtri/tasks.hpp"

namespace pamtri {
namespace {

constexpr int kSharpnessPixels = kSharpnessSide * kSharpnessSide;

struct SharpnessShared {
    unsigned char gray[kSharpnessPixels];
    Moments sums[kSharpnessThreads];
};

template <int Form>
__device__ void shrink(const CropTask& task, unsigned char* gray) {
    const CropSource& source = task.sources[blockIdx.x];
    const ConversionRule rule = conversion_rule(task.conversion);
    for (int i = static_cast<int>(threadIdx.x); i < kSharpnessPixels; i += kSharpnessThreads)
        gray[i] = small_gray<Form>(source, rule, task.swap_channels != 0, i % kSharpnessSide,
                                   i / kSharpnessSide);
}

__device__ void sharpness(const CropTask& task, SharpnessShared& shared) {
    if (task.form == kRgb) {
        shrink<kRgb>(task, shared.gray);
    } else if (task.form == kRgba) {
        shrink<kRgba>(task, shared.gray);
    } else if (task.form == kNv12Sited) {
        shrink<kNv12Sited>(task, shared.gray);
    } else {
        shrink<kNv12>(task, shared.gray);
    }
    __syncthreads();
    const int thread = static_cast<int>(threadIdx.x);
    Moments sums{};
    for (int i = thread; i < kSharpnessPixels; i += kSharpnessThreads)
        add_pixel(sums, shared.gray, i % kSharpnessSide, i / kSharpnessSide);
    shared.sums[thread] = sums;
    for (int half = kSharpnessThreads / 2; half > 0; half /= 2) {
        __syncthreads();
        if (thread < half) {
            Moments& mine = shared.sums[thread];
            const Moments& other = shared.sums[thread + half];
            mine.gray += other.gray;
            mine.gray_squares += other.gray_squares;
            mine.detail += other.detail;
            mine.detail_squares += other.detail_squares;
        }
    }
    if (thread == 0) static_cast<double*>(task.out)[blockIdx.x] = sharpness_of(shared.sums[0]);
}

}  // namespace
}  // namespace pamtri

/// Blocks: pictures.
extern "C" __global__ void __launch_bounds__(pamtri::kSharpnessThreads, 8)
    pamtri_sharpness(const __grid_constant__ pamtri::CropTask task) {
    __shared__ pamtri::SharpnessShared shared;
    pamtri::sharpness(task, shared);
}
