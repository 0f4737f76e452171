// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// crop: rectangles of frames -> (count, 3, size, size), a block a tile of kCropRows by kCropThreads
// pixels of one picture, a thread a column of the tile. And widen: pictures that were cut as bytes
// and kept, each where there was room -> a batch of floats.
#include "pamtri/crop.hpp"
#include "pamtri/tasks.hpp"

namespace pamtri {
namespace {

struct Tile {
    int picture, column, first_row, end_row;
};

__device__ Tile tile_of(unsigned block, int size) {
    const int across = (size + kCropThreads - 1) / kCropThreads;
    const int down = (size + kCropRows - 1) / kCropRows;
    const int index = static_cast<int>(block);
    const int picture = index / (across * down);
    const int within = index - picture * across * down;
    const int row = within / across;
    const int end = (row + 1) * kCropRows;
    return {picture, (within - row * across) * kCropThreads + static_cast<int>(threadIdx.x),
            row * kCropRows, end < size ? end : size};
}

template <int Form, typename T>
__device__ void write_tile(const CropTask& task, const Tile& tile, const Tap (&rows)[kCropRows]) {
    const CropSource& source = task.sources[tile.picture];
    const ConversionRule rule = conversion_rule(task.conversion);
    const Tap column = tap_at(tile.column, source.scale_x, source.width, true);
    const long long plane = static_cast<long long>(task.size) * task.size;
    T* out = static_cast<T*>(task.out) + 3 * plane * tile.picture + tile.column;
    T* red = task.swap_channels != 0 ? out + 2 * plane : out;
    T* blue = task.swap_channels != 0 ? out : out + 2 * plane;
    for (int row = tile.first_row; row < tile.end_row; ++row) {
        const Rgb pixel = resized_pixel<Form>(source, rule, rows[row - tile.first_row], column);
        const long long at = static_cast<long long>(row) * task.size;
        red[at] = stored<T>(static_cast<float>(pixel.red));
        out[plane + at] = stored<T>(static_cast<float>(pixel.green));
        blue[at] = stored<T>(static_cast<float>(pixel.blue));
    }
}

template <typename T>
__device__ void crop(const CropTask& task, Tap (&rows)[kCropRows]) {
    const Tile tile = tile_of(blockIdx.x, task.size);
    const CropSource& source = task.sources[tile.picture];
    const int row = tile.first_row + static_cast<int>(threadIdx.x);
    if (row < tile.end_row) rows[threadIdx.x] = tap_at(row, source.scale_y, source.height, false);
    __syncthreads();
    if (tile.column >= task.size) return;
    if (task.form == kRgb) {
        write_tile<kRgb, T>(task, tile, rows);
    } else if (task.form == kRgba) {
        write_tile<kRgba, T>(task, tile, rows);
    } else if (task.form == kNv12Sited) {
        write_tile<kNv12Sited, T>(task, tile, rows);
    } else {
        write_tile<kNv12, T>(task, tile, rows);
    }
}

__device__ void widen(const WidenTask& task) {
    constexpr int per_block = kWidenThreads * kWidenValues;
    const int parts = (task.values + per_block - 1) / per_block;
    const int picture = static_cast<int>(blockIdx.x) / parts;
    const int first = (static_cast<int>(blockIdx.x) - picture * parts) * per_block;
    const unsigned char* from = task.pictures[picture];
    float* to = task.out + static_cast<long long>(picture) * task.values;
    for (int i = 0; i < kWidenValues; ++i) {
        const int at = first + i * kWidenThreads + static_cast<int>(threadIdx.x);
        if (at < task.values) to[at] = static_cast<float>(from[at]);
    }
}

}  // namespace
}  // namespace pamtri

/// Blocks: pictures * tiles of a picture.
extern "C" __global__ void __launch_bounds__(pamtri::kCropThreads)
    pamtri_crop_float(const __grid_constant__ pamtri::CropTask task) {
    __shared__ pamtri::Tap rows[pamtri::kCropRows];
    pamtri::crop<float>(task, rows);
}

extern "C" __global__ void __launch_bounds__(pamtri::kCropThreads)
    pamtri_crop_half(const __grid_constant__ pamtri::CropTask task) {
    __shared__ pamtri::Tap rows[pamtri::kCropRows];
    pamtri::crop<pamtri::Half>(task, rows);
}

extern "C" __global__ void __launch_bounds__(pamtri::kCropThreads)
    pamtri_crop_byte(const __grid_constant__ pamtri::CropTask task) {
    __shared__ pamtri::Tap rows[pamtri::kCropRows];
    pamtri::crop<unsigned char>(task, rows);
}

/// Blocks: pictures * parts of a picture.
extern "C" __global__ void __launch_bounds__(pamtri::kWidenThreads)
    pamtri_widen_float(const __grid_constant__ pamtri::WidenTask task) {
    pamtri::widen(task);
}
