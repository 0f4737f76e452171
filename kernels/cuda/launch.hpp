// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The operations on a GPU, for C++: plain pointers to device memory, on a stream. Nothing is
// allocated or copied, nothing waits, nothing is checked but the number of blocks; the caller has
// made sure of shapes. Arrays are in C order, results whole. Each function returns what the launch
// returned; an empty batch is no launch. tasks.hpp says how many threads work on what, here and in
// Python.
#pragma once

#include <cuda_runtime_api.h>

#include "pamtri/tasks.hpp"

namespace pamtri::cuda {

enum class Type { kFloat, kHalf, kByte };

/// heatmaps (maps, side, side) of floats or halves -> keypoints (maps, 3) of floats.
cudaError_t decode(const void* heatmaps, Type type, int maps, int side, bool crop_units,
                   float* keypoints, cudaStream_t stream);

/// keypoints (vehicles, per_vehicle, 3) -> out (vehicles, count, size, size) of floats or halves.
/// corners: (count, 4) on the host, count at most kMostSegments.
cudaError_t segments(const float* keypoints, int vehicles, int per_vehicle, const int (*corners)[4],
                     int count, float threshold, int size, Type type, void* out,
                     cudaStream_t stream);

/// task: everything but `vectors`, which is set here -> task.out of floats or halves.
cudaError_t stack(StackTask task, int vehicles, Type type, cudaStream_t stream);

/// What crops are cut from and how they come out.
struct CropOptions {
    PixelForm form = kRgb;
    Conversion conversion = kBt709;  // of NV12: the surface's own, or else usual_conversion()
    bool swap_channels = false;
    int size = 256;
    Type type = Type::kFloat;
    Layout layout = kPitchLinear;  // the surfaces'; no other is read
};

/// A rectangle of a surface: pixels x, y, width, height inside it (geometry.py has both crop
/// rules).
struct Crop {
    Surface surface;
    int x, y, width, height;
};

/// crops: `count` of them, on the host -> out (count, 3, size, size), whole numbers 0..255.
/// cudaErrorNotSupported for surfaces that are not pitch-linear: NvBufSurfTransform makes them so.
cudaError_t crop(const Crop* crops, int count, const CropOptions& options, void* out,
                 cudaStream_t stream);

/// pictures: `count` addresses on the host, each of `values` bytes on the device, as `crop` writes
/// them -> out (count, values).
cudaError_t widen(const unsigned char* const* pictures, int count, int values, float* out,
                  cudaStream_t stream);

/// crops: as above -> out (count): detail over contrast of each. Of the options `form`,
/// `conversion`, `swap_channels` and `layout` count.
cudaError_t sharpness(const Crop* crops, int count, const CropOptions& options, double* out,
                      cudaStream_t stream);

}  // namespace pamtri::cuda
