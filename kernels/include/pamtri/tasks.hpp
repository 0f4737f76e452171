// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What a CUDA kernel is told, and with how many threads: the one place for both. A task is passed
// by value, so that a launch copies nothing to the device beforehand and can be captured into a
// graph. pamtri_edge/ops/tasks.py reads the constants from this file and lays the same structs out
// again.
#pragma once

#include "pamtri/crop.hpp"
#include "pamtri/segments.hpp"
#include "pamtri/stack.hpp"

namespace pamtri {

constexpr int kWarp = 32;

// decode: a block a heatmap. 4096 cells are then eight loads of 16 bytes a thread (four, of
// halves).
constexpr int kDecodeThreads = 128;

// segments and stack: a block writes a band of one plane, a warp a row of threads.
constexpr int kBandRows = 32;
constexpr int kBandColumns = 32;
constexpr int kBandLines = 8;

// crop: a block writes a tile of one picture, a thread a column of it.
constexpr int kCropThreads = 128;
constexpr int kCropRows = 8;

// widen: a block a part of one picture, a thread some of its values, a warp's side by side.
constexpr int kWidenThreads = 256;
constexpr int kWidenValues = 4;

// sharpness: a block a picture.
constexpr int kSharpnessThreads = 128;

constexpr int kMostSegments = 16;
constexpr int kMostCrops = 32;

/// How a source's values lie in memory.
enum Kind {
    kFloat = 0,
    kHalf = 1,
    kByte = 2,   // planar 8 bits
    kPixels = 3  // interleaved 8-bit RGB
};

/// Which keypoints make which segments.
struct Corners {
    int rows[kMostSegments][4];
};

/// keypoints (vehicles, per_vehicle, 3) -> (vehicles, count, size, size) of 0 and 1.
struct SegmentsTask {
    const float* keypoints;
    void* out;
    int per_vehicle, count, size;
    int vectors;  // out begins at a multiple of 16 bytes, and so does each of its rows
    float threshold;
    Corners corners;
};

/// -> (vehicles, 3 + heatmap_count + segment_count, size, size), normalized. Absent inputs are
/// null.
struct StackTask {
    const void* images;      // (vehicles, 3, size, size), or (vehicles, size, size, 3) if kPixels
    const void* heatmaps;    // (vehicles, heatmap_count, size / 4, size / 4)
    const void* segments;    // (vehicles, segment_count, size, size); null: drawn from keypoints
    const float* keypoints;  // (vehicles, per_vehicle, 3)
    void* out;
    int size, heatmap_count, segment_count, per_vehicle;
    int image_kind, heatmap_kind, segment_kind;
    int vectors;  // as above, of images and segments too
    float threshold;
    Affine rgb[3], extra;
    Corners corners;
};

/// Pictures -> (count, 3, size, size), whole numbers 0..255; or, of kernels that have one number a
/// picture, (count) doubles, where `size` means nothing.
struct CropTask {
    CropSource sources[kMostCrops];
    void* out;
    int size;
    int form;        // PixelForm
    int conversion;  // Conversion, of NV12
    int swap_channels;
};

/// Pictures of bytes, each where it lies -> (count, values) of floats.
struct WidenTask {
    const unsigned char* pictures[kMostCrops];
    float* out;
    int values;  // of a picture
};

static_assert(sizeof(CropTask) <= 4096, "a kernel's parameters take 4 KB at most");

}  // namespace pamtri
