// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "pamtri/crop.hpp"

#include <algorithm>
#include <utility>

#include "clones.hpp"
#include "operations.hpp"
#include "parallel.hpp"

namespace pamtri::cpu {
namespace {

/// Output rows that one thread does at a time.
constexpr int kBand = 64;

/// The columns' taps, one array each, offsets in bytes: what the loop along a row reads.
struct Columns {
    std::vector<int> left, right, left_weight, right_weight;

    Columns(int size, int extent) {
        for (int i = 0; i < size; ++i) {
            const Tap tap = tap_of(i, size, extent, true);
            left.push_back(3 * tap.first);
            right.push_back(3 * tap.second);
            left_weight.push_back(tap.first_weight);
            right_weight.push_back(tap.second_weight);
        }
    }
};

/// One source row to three rows of `size` half-blended values.
void blend_row(const std::uint8_t* pixels, const Columns& columns, int size, std::int16_t* out) {
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

PAMTRI_CLONES void blend_column(const std::int16_t* top, const std::int16_t* bottom, int top_weight,
                                int bottom_weight, int count, float* out) {
    for (int i = 0; i < count; ++i) {
        out[i] =
            static_cast<float>(blended_down_column(top[i], bottom[i], top_weight, bottom_weight));
    }
}

void resize_rows(const Picture& picture, int size, int begin, int end, bool swap_channels,
                 float* out) {
    const Columns columns(size, picture.width);
    const std::size_t plane = static_cast<std::size_t>(size) * static_cast<std::size_t>(size);
    std::vector<std::int16_t> scratch(static_cast<std::size_t>(6 * size));
    std::int16_t* top = scratch.data();
    std::int16_t* bottom = top + 3 * size;
    int top_row = -1;
    int bottom_row = -1;
    for (int line = begin; line < end; ++line) {
        const Tap tap = tap_of(line, size, picture.height, false);
        if (tap.first == bottom_row) {  // walking down: what was below is now above
            std::swap(top, bottom);
            std::swap(top_row, bottom_row);
        }
        if (tap.first != top_row) {
            blend_row(picture.pixels + tap.first * picture.row_bytes, columns, size, top);
            top_row = tap.first;
        }
        if (tap.second != bottom_row) {
            blend_row(picture.pixels + tap.second * picture.row_bytes, columns, size, bottom);
            bottom_row = tap.second;
        }
        for (int channel = 0; channel < 3; ++channel) {
            float* target =
                out + static_cast<std::size_t>(swap_channels ? 2 - channel : channel) * plane +
                static_cast<std::size_t>(line) * static_cast<std::size_t>(size);
            blend_column(top + channel * size, bottom + channel * size, tap.first_weight,
                         tap.second_weight, size, target);
        }
    }
}

}  // namespace

void resize(const std::vector<Picture>& pictures, int size, bool swap_channels, float* out) {
    const std::size_t picture_values =
        3 * static_cast<std::size_t>(size) * static_cast<std::size_t>(size);
    const std::size_t bands = static_cast<std::size_t>((size + kBand - 1) / kBand);
    parallel_for(pictures.size() * bands, 1, [&](std::size_t item) {
        const std::size_t index = item / bands;
        const int begin = static_cast<int>(item % bands) * kBand;
        resize_rows(pictures[index], size, begin, std::min(begin + kBand, size), swap_channels,
                    out + index * picture_values);
    });
}

}  // namespace pamtri::cpu
