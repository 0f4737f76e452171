// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "pamtri/crop.hpp"

#include <algorithm>
#include <utility>

#include "operations.hpp"
#include "parallel.hpp"
#include "rows.hpp"

namespace pamtri::cpu {
namespace {

/// Output rows that one thread does at a time.
constexpr int kBand = 128;

/// Half-blended source rows, of which the last two are kept.
class Rows {
  public:
    Rows(const Picture& picture, int size)
        : picture_(picture),
          columns_(size, picture.width),
          scratch_(static_cast<std::size_t>(8 * size)),
          top_(scratch_.data()),
          bottom_(top_ + 4 * size) {}

    void move_to(const Tap& tap) {
        if (tap.first == bottom_row_) {  // walking down: what was below is now above
            std::swap(top_, bottom_);
            std::swap(top_row_, bottom_row_);
        }
        blend(tap.first, top_row_, top_);
        blend(tap.second, bottom_row_, bottom_);
    }

    /// The line of the tap that was moved to, in three colors.
    void blend_line(const Tap& tap, float* const colors[3]) const {
        loops_.blend_column(top_, bottom_, tap, columns_.size(), colors);
    }

  private:
    void blend(int row, int& held, std::int16_t* out) const {
        if (row == held) return;
        loops_.blend_row(picture_.pixels + row * picture_.row_bytes, columns_, out);
        held = row;
    }

    const RowLoops& loops_ = row_loops();
    const Picture& picture_;
    Columns columns_;
    std::vector<std::int16_t> scratch_;
    std::int16_t *top_, *bottom_;
    int top_row_ = -1;
    int bottom_row_ = -1;
};

std::size_t values_of(Size size) {
    return static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height);
}

void resize_rows(const Picture& picture, Size size, int begin, int end, bool swap_channels,
                 float* out) {
    const std::size_t plane = values_of(size);
    const auto width = static_cast<std::size_t>(size.width);
    const double scale = scale_of(size.height, picture.height);
    Rows rows(picture, size.width);
    for (int line = begin; line < end; ++line) {
        const Tap tap = tap_at(line, scale, picture.height, false);
        rows.move_to(tap);
        float* const first = out + static_cast<std::size_t>(line) * width;
        float* const colors[3] = {first + (swap_channels ? 2 * plane : 0), first + plane,
                                  first + (swap_channels ? 0 : 2 * plane)};
        rows.blend_line(tap, colors);
    }
}

}  // namespace

void resize(const std::vector<Picture>& pictures, Size size, bool swap_channels, float* out) {
    const std::size_t picture_values = 3 * values_of(size);
    const std::size_t bands = static_cast<std::size_t>((size.height + kBand - 1) / kBand);
    parallel_for(pictures.size() * bands, 1, [&](std::size_t item) {
        const std::size_t index = item / bands;
        const int begin = static_cast<int>(item % bands) * kBand;
        resize_rows(pictures[index], size, begin, std::min(begin + kBand, size.height),
                    swap_channels, out + index * picture_values);
    });
}

}  // namespace pamtri::cpu
