// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "rows.hpp"

#include <atomic>

#include "clones.hpp"

namespace pamtri::cpu {
namespace {

std::atomic<bool> plain_wanted{false};

void blend_row(const std::uint8_t* pixels, const Columns& columns, std::int16_t* out) {
    const int size = columns.size();
    const int* left = columns.left.data();
    const int* right = columns.right.data();
    const int* left_weight = columns.left_weight.data();
    const int* right_weight = columns.right_weight.data();
    for (int i = 0; i < size; ++i) {
        const std::uint8_t* a = pixels + left[i];
        const std::uint8_t* b = pixels + right[i];
        const int u = left_weight[i];
        const int v = right_weight[i];
        out[i] = static_cast<std::int16_t>(blended_along_row(a[0], b[0], u, v));
        out[size + i] = static_cast<std::int16_t>(blended_along_row(a[1], b[1], u, v));
        out[2 * size + i] = static_cast<std::int16_t>(blended_along_row(a[2], b[2], u, v));
    }
}

PAMTRI_CLONES void blend_color(const std::int16_t* top, const std::int16_t* bottom, int top_weight,
                               int bottom_weight, int count, float* out) {
    for (int i = 0; i < count; ++i) {
        out[i] =
            static_cast<float>(blended_down_column(top[i], bottom[i], top_weight, bottom_weight));
    }
}

void blend_column(const std::int16_t* top, const std::int16_t* bottom, const Tap& tap, int size,
                  float* const colors[3]) {
    for (int color = 0; color < 3; ++color) {
        blend_color(top + color * size, bottom + color * size, tap.first_weight, tap.second_weight,
                    size, colors[color]);
    }
}

void sum_row(const std::uint8_t* row, const AreaSpan* columns, float* sums) {
    const auto pixels = [row](int x, int) {
        return Rgb{row[3 * x], row[3 * x + 1], row[3 * x + 2]};
    };
    for (int i = 0; i < kSharpnessSide; ++i) {
        const Sums sum = row_sums(pixels, columns[i], 0);
        sums[4 * i] = sum.red;
        sums[4 * i + 1] = sum.green;
        sums[4 * i + 2] = sum.blue;
        sums[4 * i + 3] = 0.0f;
    }
}

void gray_row(const float* sums, bool swap_channels, unsigned char* gray) {
    for (int i = 0; i < kSharpnessSide; ++i) {
        const Rgb pixel{byte_of(sums[4 * i]), byte_of(sums[4 * i + 1]), byte_of(sums[4 * i + 2])};
        gray[i] = brightness(pixel, swap_channels);
    }
}

}  // namespace

const RowLoops kPlainLoops{blend_row, blend_column, sum_row, gray_row};

const RowLoops& row_loops() {
    static const RowLoops* const fastest = avx2_loops() ? avx2_loops() : &kPlainLoops;
    return plain_wanted ? kPlainLoops : *fastest;
}

void use_plain_loops(bool plain) { plain_wanted = plain; }

Columns::Columns(int size, int extent)
    : left(static_cast<std::size_t>(size)),
      right(left),
      left_weight(left),
      right_weight(left),
      weights(8 * left.size()) {
    const double scale = scale_of(size, extent);
    for (std::size_t i = 0; i < left.size(); ++i) {
        const Tap tap = tap_at(static_cast<int>(i), scale, extent, true);
        left[i] = 3 * tap.first;
        right[i] = 3 * tap.second;
        left_weight[i] = tap.first_weight;
        right_weight[i] = tap.second_weight;
        for (std::size_t color = 0; color < 3; ++color) {
            weights[8 * i + 2 * color] = static_cast<std::int16_t>(tap.first_weight);
            weights[8 * i + 2 * color + 1] = static_cast<std::int16_t>(tap.second_weight);
        }
        // Where the left pixel is past the border the right one is the same, of weight 0.
        if (tap.first + 2 < extent - 1) inner = static_cast<int>(i) + 1;
    }
}

}  // namespace pamtri::cpu
