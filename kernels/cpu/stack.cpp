// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "pamtri/stack.hpp"

#include <vector>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include "clones.hpp"
#include "operations.hpp"
#include "parallel.hpp"
#include "planes.hpp"

namespace pamtri::cpu {
namespace {

constexpr std::size_t kGrain = 2;  // planes of 256 x 256: twenty microseconds each and more

PAMTRI_CLONES void normalize(const float* values, int count, Affine affine, float* out) {
    for (int i = 0; i < count; ++i) out[i] = normalized(values[i], affine);
}

/// A heatmap row, clipped and four times as long. padded: room for side + 2 values.
PAMTRI_CLONES void widen(const float* row, int side, float* padded, float* wide) {
    for (int i = 0; i < side; ++i) padded[i + 1] = clipped(row[i]);
    padded[0] = padded[1];
    padded[side + 1] = padded[side];
    for (int i = 0; i < side; ++i) {
        const float before = padded[i], here = padded[i + 1], after = padded[i + 2];
        wide[4 * i] = blended(before, here, 0.625f);
        wide[4 * i + 1] = blended(before, here, 0.875f);
        wide[4 * i + 2] = blended(here, after, 0.125f);
        wide[4 * i + 3] = blended(here, after, 0.375f);
    }
}

PAMTRI_CLONES void blend_rows(const float* first, const float* second, float weight, int count,
                              Affine affine, float* out) {
    for (int i = 0; i < count; ++i)
        out[i] = normalized(blended(first[i], second[i], weight), affine);
}

#if defined(__SSE2__)
/// The same straight past the caches: computing hides behind the memory's own time.
/// count: a multiple of 16; out: see streams_lines().
__attribute__((target("avx512f"))) void stream_blended(const float* first, const float* second,
                                                       float weight, int count, Affine affine,
                                                       float* out) {
    const __m512 one = _mm512_set1_ps(1.0f - weight), other = _mm512_set1_ps(weight);
    const __m512 scale = _mm512_set1_ps(affine.scale), bias = _mm512_set1_ps(affine.bias);
    for (int i = 0; i < count; i += 16) {
        const __m512 value = _mm512_add_ps(_mm512_mul_ps(_mm512_loadu_ps(first + i), one),
                                           _mm512_mul_ps(_mm512_loadu_ps(second + i), other));
        _mm512_stream_ps(out + i, _mm512_add_ps(_mm512_mul_ps(value, scale), bias));
    }
}
#endif

/// A heatmap's rows widened, each once, as the lines of the upsampled plane ask for them in order.
class WideRows {
  public:
    WideRows(const float* heatmap, int side)
        : heatmap_(heatmap),
          side_(side),
          padded_(static_cast<std::size_t>(side + 2)),
          above_(static_cast<std::size_t>(side * kUpsampling)),
          below_(above_.size()) {}

    /// One line of the plane, normalized. blend: blend_rows or a function with its arguments.
    template <typename Blend>
    void line(int line, Affine affine, float* out, const Blend& blend) {
        const LinePair rows = lines_between(line, side_);
        if (rows.second != below_row_) {
            above_.swap(below_);
            widen(heatmap_ + rows.second * side_, side_, padded_.data(), below_.data());
            below_row_ = rows.second;
        }
        const float* below = below_.data();
        const float* above = rows.first == below_row_ ? below : above_.data();  // one at the border
        blend(above, below, rows.weight, side_ * kUpsampling, affine, out);
    }

  private:
    const float* heatmap_;
    int side_;
    std::vector<float> padded_, above_, below_;
    int below_row_ = -1;
};

}  // namespace

void stack(const StackInputs& inputs, float* out) {
    const int size = inputs.size;
    const int side = size / kUpsampling;
    const std::size_t plane = static_cast<std::size_t>(size) * static_cast<std::size_t>(size);
    const std::size_t cells = static_cast<std::size_t>(side) * static_cast<std::size_t>(side);
    const std::size_t channels = 3 + inputs.heatmap_count + inputs.rule.count;
    const bool streaming = streams(out, inputs.vehicles * channels * plane, size);
    const float blank = normalized(0.0f, inputs.extra);
    const float full = normalized(1.0f, inputs.extra);

    parallel_for(inputs.vehicles * channels, kGrain, [&](std::size_t item) {
        const std::size_t vehicle = item / channels;
        const std::size_t channel = item % channels;
        const auto write = [&](const auto& row) {
            write_plane(size, streaming, out + item * plane, row);
        };
        const auto copy = [&](const float* values, Affine affine) {
            write([&](int line, float* target) {
                normalize(values + line * size, size, affine, target);
            });
        };
        if (channel < 3) {
            copy(inputs.images + (vehicle * 3 + channel) * plane, inputs.rgb[channel]);
        } else if (channel < 3 + inputs.heatmap_count) {
            const std::size_t map = vehicle * inputs.heatmap_count + channel - 3;
            WideRows rows(inputs.heatmaps + map * cells, side);
#if defined(__SSE2__)
            float* target = out + item * plane;
            if (streaming && size % 16 == 0 && streams_lines(target)) {
                for (int line = 0; line < size; ++line, target += size) {
                    rows.line(line, inputs.extra, target, stream_blended);
                }
                finish_streaming();
                return;
            }
#endif
            write([&](int line, float* row) { rows.line(line, inputs.extra, row, blend_rows); });
        } else {
            const std::size_t segment = channel - 3 - inputs.heatmap_count;
            if (inputs.segments != nullptr) {
                copy(inputs.segments + (vehicle * inputs.rule.count + segment) * plane,
                     inputs.extra);
                return;
            }
            const Quad quad =
                quad_of(inputs.keypoints + vehicle * inputs.per_vehicle * 3,
                        inputs.rule.corners + segment * 4, size, inputs.rule.threshold);
            write([&](int row, float* target) { draw_row(quad, row, size, blank, full, target); });
        }
    });
}

}  // namespace pamtri::cpu
