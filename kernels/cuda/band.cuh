// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// A band: kBandRows rows of one plane, which a block of kBandColumns by kBandLines threads writes,
// 16 bytes a store where rows begin at a multiple of them.
#pragma once

#include "pamtri/tasks.hpp"

namespace pamtri {

/// Values of a row as 16 bytes of the result's type.
template <typename T>
constexpr int kPerStore = 16 / static_cast<int>(sizeof(T));

/// Which plane, and from which of its rows on.
struct Band {
    int plane, first, end;
};

__device__ inline Band band_of(unsigned block, int size) {
    const int bands = (size + kBandRows - 1) / kBandRows;
    const int plane = static_cast<int>(block / static_cast<unsigned>(bands));
    const int first = (static_cast<int>(block) - plane * bands) * kBandRows;
    return {plane, first, first + kBandRows < size ? first + kBandRows : size};
}

/// The pixels that a segment covers in the rows of a band.
struct BandSpans {
    Quad quad;
    Span rows[kBandRows];
};

/// Work out a segment's quadrilateral once and its spans a thread a row; every thread of the block
/// must come here, and all of them may then read the spans.
__device__ inline void find_spans(const float* keypoints, const int (&corners)[4], int size,
                                  float threshold, const Band& band, BandSpans& spans) {
    const int thread = static_cast<int>(threadIdx.y) * kBandColumns + static_cast<int>(threadIdx.x);
    if (thread == 0) spans.quad = quad_of(keypoints, corners, size, threshold);
    __syncthreads();
    if (thread < band.end - band.first) {
        spans.rows[thread] = covered_span(spans.quad, band.first + thread, size);
    }
    __syncthreads();
}

/// Fill a band pixel by pixel. source.at(row, column) gives a value.
template <typename T, typename Source>
__device__ void write_pixels(T* plane, int size, const Band& band, const Source& source) {
    for (int row = band.first + static_cast<int>(threadIdx.y); row < band.end; row += kBandLines) {
        T* line = plane + static_cast<long long>(row) * size;
        for (int at = static_cast<int>(threadIdx.x); at < size; at += kBandColumns) {
            line[at] = stored<T>(source.at(row, at));
        }
    }
}

/// Fill a band. source.run(row, column, values) gives as many values of a row as 16 bytes hold.
template <typename T, typename Source>
__device__ void write_band(T* plane, int size, const Band& band, bool vectors,
                           const Source& source) {
    if (!vectors) {
        write_pixels(plane, size, band, source);
        return;
    }
    for (int row = band.first + static_cast<int>(threadIdx.y); row < band.end; row += kBandLines) {
        T* line = plane + static_cast<long long>(row) * size;
        for (int at = static_cast<int>(threadIdx.x) * kPerStore<T>; at < size;
             at += kBandColumns * kPerStore<T>) {
            float values[kPerStore<T>];
            source.run(row, at, values);
            store(Packed<T, kPerStore<T>>::of(values), line + at);
        }
    }
}

/// One value where a segment covers the pixel, another elsewhere.
struct Drawn {
    const BandSpans& spans;
    int first_row;
    float outside, inside;

    __device__ float at(int row, int column) const {
        const Span span = spans.rows[row - first_row];
        return column >= span.first && column < span.end ? inside : outside;
    }

    template <int N>
    __device__ void run(int row, int column, float (&values)[N]) const {
        const Span span = spans.rows[row - first_row];
        PAMTRI_UNROLL
        for (int i = 0; i < N; ++i) {
            values[i] = column + i >= span.first && column + i < span.end ? inside : outside;
        }
    }
};

}  // namespace pamtri
