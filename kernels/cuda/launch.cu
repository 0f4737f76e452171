// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "crop.cu"
#include "decode.cu"
#include "launch.hpp"
#include "segments.cu"
#include "sharpness.cu"
#include "stack.cu"

namespace pamtri::cuda {
namespace {

constexpr unsigned long long kStoreBytes = 16;
constexpr long long kMostBlocks = 2147483647;
constexpr int kSizes[] = {4, 2, 1};

unsigned long long bytes_of(Type type) {
    return static_cast<unsigned long long>(kSizes[static_cast<int>(type)]);
}

bool begins_a_store(const void* pointer) {
    return reinterpret_cast<unsigned long long>(pointer) % kStoreBytes == 0;
}

bool rows_are_whole(const void* out, int size, Type type) {
    return begins_a_store(out) &&
           static_cast<unsigned long long>(size) * bytes_of(type) % kStoreBytes == 0;
}

long long bands(int size) { return (size + kBandRows - 1) / kBandRows; }

template <typename... Arguments>
cudaError_t launch(void (*kernel)(Arguments...), long long blocks, dim3 threads,
                   cudaStream_t stream, Arguments... arguments) {
    if (blocks == 0) return cudaSuccess;
    if (blocks < 0 || blocks > kMostBlocks) return cudaErrorInvalidValue;
    void* pointers[] = {&arguments...};
    return cudaLaunchKernel(reinterpret_cast<const void*>(kernel),
                            dim3(static_cast<unsigned>(blocks)), threads, pointers, 0, stream);
}

const dim3 kBandThreads(kBandColumns, kBandLines);

/// What a kernel is told of `count` crops, at most kMostCrops, for a result of size x size.
CropTask crop_task(const Crop* crops, int count, const CropOptions& options, int size) {
    CropTask task{};
    for (int i = 0; i < count; ++i) {
        const Crop& crop = crops[i];
        task.sources[i] = {crop.surface,
                           crop.x,
                           crop.y,
                           crop.width,
                           crop.height,
                           scale_of(size, crop.width),
                           scale_of(size, crop.height)};
    }
    task.size = size;
    task.form = options.form;
    task.conversion = options.conversion;
    task.swap_channels = options.swap_channels;
    return task;
}

}  // namespace

cudaError_t decode(const void* heatmaps, Type type, int maps, int side, bool crop_units,
                   float* keypoints, cudaStream_t stream) {
    const unsigned long long bytes = static_cast<unsigned long long>(side) *
                                     static_cast<unsigned long long>(side) * bytes_of(type);
    const int vectors = begins_a_store(heatmaps) && bytes % kStoreBytes == 0;
    const dim3 threads(kDecodeThreads);
    if (type == Type::kHalf) {
        return launch<const Half*, float*, int, int, int>(pamtri_decode_half, maps, threads, stream,
                                                          static_cast<const Half*>(heatmaps),
                                                          keypoints, side, crop_units, vectors);
    }
    if (type != Type::kFloat) return cudaErrorInvalidValue;
    return launch<const float*, float*, int, int, int>(pamtri_decode_float, maps, threads, stream,
                                                       static_cast<const float*>(heatmaps),
                                                       keypoints, side, crop_units, vectors);
}

cudaError_t segments(const float* keypoints, int vehicles, int per_vehicle, const int (*corners)[4],
                     int count, float threshold, int size, Type type, void* out,
                     cudaStream_t stream) {
    if (count < 0 || count > kMostSegments || type == Type::kByte) return cudaErrorInvalidValue;
    SegmentsTask task{};
    task.keypoints = keypoints;
    task.out = out;
    task.per_vehicle = per_vehicle;
    task.count = count;
    task.size = size;
    task.vectors = rows_are_whole(out, size, type);
    task.threshold = threshold;
    for (int i = 0; i < count; ++i) {
        for (int j = 0; j < 4; ++j) task.corners.rows[i][j] = corners[i][j];
    }
    return launch<SegmentsTask>(type == Type::kHalf ? pamtri_segments_half : pamtri_segments_float,
                                static_cast<long long>(vehicles) * count * bands(size),
                                kBandThreads, stream, task);
}

cudaError_t stack(StackTask task, int vehicles, Type type, cudaStream_t stream) {
    if (task.segment_count > kMostSegments && task.segments == nullptr) {
        return cudaErrorInvalidValue;
    }
    if (type == Type::kByte || task.size % kUpsampling != 0) return cudaErrorInvalidValue;
    task.vectors = rows_are_whole(task.out, task.size, type) && begins_a_store(task.images) &&
                   begins_a_store(task.segments);
    const long long channels = 3ll + task.heatmap_count + task.segment_count;
    return launch<StackTask>(type == Type::kHalf ? pamtri_stack_half : pamtri_stack_float,
                             vehicles * channels * bands(task.size), kBandThreads, stream, task);
}

cudaError_t crop(const Crop* crops, int count, const CropOptions& options, void* out,
                 cudaStream_t stream) {
    if (options.layout != kPitchLinear) return cudaErrorNotSupported;
    const long long tiles =
        static_cast<long long>((options.size + kCropThreads - 1) / kCropThreads) *
        ((options.size + kCropRows - 1) / kCropRows);
    const unsigned long long size = static_cast<unsigned long long>(options.size);
    void (*const kernels[])(CropTask) = {pamtri_crop_float, pamtri_crop_half, pamtri_crop_byte};
    for (int first = 0; first < count; first += kMostCrops) {
        const int part = count - first < kMostCrops ? count - first : kMostCrops;
        CropTask task = crop_task(crops + first, part, options, options.size);
        task.out = static_cast<unsigned char*>(out) + static_cast<unsigned long long>(first) * 3 *
                                                          size * size * bytes_of(options.type);
        const cudaError_t error = launch<CropTask>(kernels[static_cast<int>(options.type)],
                                                   part * tiles, dim3(kCropThreads), stream, task);
        if (error != cudaSuccess) return error;
    }
    return cudaSuccess;
}

cudaError_t widen(const unsigned char* const* pictures, int count, int values, float* out,
                  cudaStream_t stream) {
    const long long parts = (static_cast<long long>(values) + kWidenThreads * kWidenValues - 1) /
                            (kWidenThreads * kWidenValues);
    for (int first = 0; first < count; first += kMostCrops) {
        const int part = count - first < kMostCrops ? count - first : kMostCrops;
        WidenTask task{};
        for (int i = 0; i < part; ++i) task.pictures[i] = pictures[first + i];
        task.out = out + static_cast<long long>(first) * values;
        task.values = values;
        const cudaError_t error =
            launch<WidenTask>(pamtri_widen_float, part * parts, dim3(kWidenThreads), stream, task);
        if (error != cudaSuccess) return error;
    }
    return cudaSuccess;
}

cudaError_t sharpness(const Crop* crops, int count, const CropOptions& options, double* out,
                      cudaStream_t stream) {
    if (options.layout != kPitchLinear) return cudaErrorNotSupported;
    for (int first = 0; first < count; first += kMostCrops) {
        const int part = count - first < kMostCrops ? count - first : kMostCrops;
        CropTask task = crop_task(crops + first, part, options, kSharpnessSide);
        task.out = out + first;
        const cudaError_t error =
            launch<CropTask>(pamtri_sharpness, part, dim3(kSharpnessThreads), stream, task);
        if (error != cudaSuccess) return error;
    }
    return cudaSuccess;
}

}  // namespace pamtri::cuda
