// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// stack: pictures, heatmaps and keypoints -> (vehicles, channels, size, size), a block a band of
// one channel. Nothing is written but the result: segments are drawn where they end up.
#include "band.cuh"
#include "pamtri/stack.hpp"

namespace pamtri {
namespace {

/// A plane of values of another type, normalized.
template <typename S>
struct Plane {
    const S* values;
    int size;
    Affine affine;

    __device__ float at(int row, int column) const {
        return normalized(to_float(values[static_cast<long long>(row) * size + column]), affine);
    }

    template <int N>
    __device__ void run(int row, int column, float (&out)[N]) const {
        const Pack<S, N> pack = loaded<N>(values + static_cast<long long>(row) * size + column);
        PAMTRI_UNROLL
        for (int i = 0; i < N; ++i) out[i] = normalized(to_float(pack.values[i]), affine);
    }
};

/// One channel of interleaved RGB, normalized.
struct Interleaved {
    const unsigned char* pixels;  // the channel's first value
    int size;
    Affine affine;

    __device__ float at(int row, int column) const {
        return normalized(to_float(pixels[3 * (static_cast<long long>(row) * size + column)]),
                          affine);
    }

    template <int N>
    __device__ void run(int row, int column, float (&out)[N]) const {
        const unsigned char* from = pixels + 3 * (static_cast<long long>(row) * size + column);
        PAMTRI_UNROLL
        for (int i = 0; i < N; ++i) out[i] = normalized(to_float(from[3 * i]), affine);
    }
};

/// A heatmap four times as large, normalized, pixel by pixel.
template <typename S>
struct Upsampled {
    const S* heatmap;
    int side;
    Affine affine;

    __device__ float at(int row, int column) const {
        return normalized(upsampled(heatmap, side, row, column), affine);
    }
};

/// A run of a heatmap's row, clipped and four times as long.
template <typename S, int N>
__device__ void widen(const S* line, int cell, int side, float (&wide)[N]) {
    constexpr int kCells = N / kUpsampling;
    float cells[kCells + 2];
    PAMTRI_UNROLL
    for (int i = 0; i < kCells + 2; ++i) {
        cells[i] = clipped(to_float(line[clamped(cell - 1 + i, 0, side - 1)]));
    }
    PAMTRI_UNROLL
    for (int i = 0; i < N; ++i) {
        const int k = i / kUpsampling;
        wide[i] = widened(cells[k], cells[k + 1], cells[k + 2], i % kUpsampling);
    }
}

/// Two of the four rows that a row of cells becomes: those between it and a neighbor.
template <typename T, int N>
__device__ void store_rows(const float (&above)[N], const float (&below)[N], int phase, int size,
                           const Affine& affine, T* target) {
    PAMTRI_UNROLL
    for (int row = phase; row < phase + 2; ++row) {
        float values[N];
        PAMTRI_UNROLL
        for (int i = 0; i < N; ++i) {
            values[i] = normalized(blended(above[i], below[i], phase_weight(row)), affine);
        }
        store(Packed<T, N>::of(values), target + row * size);
    }
}

/// The same, four rows of `kPerStore` pixels at a time, so that a cell is read and widened once.
template <typename T, typename S>
__device__ void write_upsampled(T* plane, int size, const Band& band, const Upsampled<S>& source) {
    constexpr int kPixels = kPerStore<T>;
    constexpr int kCells = kPixels / kUpsampling;
    const int side = source.side;
    const int row = band.first / kUpsampling + static_cast<int>(threadIdx.y);
    if (row >= side) return;
    const S* before = source.heatmap + clamped(row - 1, 0, side - 1) * side;
    const S* here = source.heatmap + row * side;
    const S* after = source.heatmap + clamped(row + 1, 0, side - 1) * side;
    for (int cell = static_cast<int>(threadIdx.x) * kCells; cell < side;
         cell += kBandColumns * kCells) {
        T* target = plane + static_cast<long long>(row) * kUpsampling * size + cell * kUpsampling;
        float middle[kPixels], other[kPixels];
        widen(here, cell, side, middle);
        widen(before, cell, side, other);
        store_rows(other, middle, 0, size, source.affine, target);
        widen(after, cell, side, other);
        store_rows(middle, other, 2, size, source.affine, target);
    }
}

static_assert(kBandRows == kUpsampling * kBandLines, "a line of threads has a row of cells");

template <typename T, typename S>
__device__ void write_heatmap(const StackTask& task, T* plane, const Band& band, int index) {
    const int side = task.size / kUpsampling;
    const Upsampled<S> source{
        static_cast<const S*>(task.heatmaps) + static_cast<long long>(index) * side * side, side,
        task.extra};
    if (task.vectors != 0) {
        write_upsampled(plane, task.size, band, source);
    } else {
        write_pixels(plane, task.size, band, source);
    }
}

template <typename T, typename S>
__device__ void write_plane(const StackTask& task, T* plane, const Band& band, const void* planes,
                            int index, const Affine& affine) {
    const S* values =
        static_cast<const S*>(planes) + static_cast<long long>(index) * task.size * task.size;
    write_band(plane, task.size, band, task.vectors != 0, Plane<S>{values, task.size, affine});
}

template <typename T>
__device__ void write_color(const StackTask& task, T* plane, const Band& band, int vehicle,
                            int channel) {
    const Affine affine = task.rgb[channel];
    const int index = vehicle * 3 + channel;
    if (task.image_kind == kFloat) {
        write_plane<T, float>(task, plane, band, task.images, index, affine);
    } else if (task.image_kind == kHalf) {
        write_plane<T, Half>(task, plane, band, task.images, index, affine);
    } else if (task.image_kind == kByte) {
        write_plane<T, unsigned char>(task, plane, band, task.images, index, affine);
    } else {
        const unsigned char* pixels = static_cast<const unsigned char*>(task.images) +
                                      3ll * vehicle * task.size * task.size + channel;
        write_band(plane, task.size, band, task.vectors != 0,
                   Interleaved{pixels, task.size, affine});
    }
}

template <typename T>
__device__ void write_segment(const StackTask& task, T* plane, const Band& band, int vehicle,
                              int segment, BandSpans& spans) {
    if (task.segments != nullptr) {
        const int index = vehicle * task.segment_count + segment;
        if (task.segment_kind == kFloat) {
            write_plane<T, float>(task, plane, band, task.segments, index, task.extra);
        } else {
            write_plane<T, Half>(task, plane, band, task.segments, index, task.extra);
        }
        return;
    }
    const float* keypoints =
        task.keypoints + static_cast<long long>(vehicle) * task.per_vehicle * 3;
    find_spans(keypoints, task.corners.rows[segment], task.size, task.threshold, band, spans);
    write_band(
        plane, task.size, band, task.vectors != 0,
        Drawn{spans, band.first, normalized(0.0f, task.extra), normalized(1.0f, task.extra)});
}

template <typename T>
__device__ void stack(const StackTask& task, BandSpans& spans) {
    const Band band = band_of(blockIdx.x, task.size);
    const int channels = 3 + task.heatmap_count + task.segment_count;
    const int vehicle = band.plane / channels;
    const int channel = band.plane - vehicle * channels;
    T* plane =
        static_cast<T*>(task.out) + static_cast<long long>(band.plane) * task.size * task.size;
    if (channel < 3) {
        write_color(task, plane, band, vehicle, channel);
    } else if (channel < 3 + task.heatmap_count) {
        const int index = vehicle * task.heatmap_count + channel - 3;
        if (task.heatmap_kind == kFloat) {
            write_heatmap<T, float>(task, plane, band, index);
        } else {
            write_heatmap<T, Half>(task, plane, band, index);
        }
    } else {
        write_segment(task, plane, band, vehicle, channel - 3 - task.heatmap_count, spans);
    }
}

}  // namespace
}  // namespace pamtri

/// Blocks: vehicles * channels * bands of a plane.
extern "C" __global__ void __launch_bounds__(pamtri::kBandColumns* pamtri::kBandLines)
    pamtri_stack_float(const __grid_constant__ pamtri::StackTask task) {
    __shared__ pamtri::BandSpans spans;
    pamtri::stack<float>(task, spans);
}

extern "C" __global__ void __launch_bounds__(pamtri::kBandColumns* pamtri::kBandLines)
    pamtri_stack_half(const __grid_constant__ pamtri::StackTask task) {
    __shared__ pamtri::BandSpans spans;
    pamtri::stack<pamtri::Half>(task, spans);
}
