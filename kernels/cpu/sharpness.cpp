// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "pamtri/sharpness.hpp"

#include <array>

#include "clones.hpp"
#include "operations.hpp"
#include "parallel.hpp"
#include "rows.hpp"

namespace pamtri::cpu {
namespace {

CropSource source_of(const Picture& picture) {
    Surface surface{};
    surface.pixels = picture.pixels;
    surface.pitch = static_cast<int>(picture.row_bytes);
    return {surface,
            0,
            0,
            picture.width,
            picture.height,
            scale_of(kSharpnessSide, picture.width),
            scale_of(kSharpnessSide, picture.height)};
}

/// Four numbers for each of 64 columns.
using Line = std::array<float, 4 * kSharpnessSide>;

/// Weighted sums of source rows, of which the last is kept: two lines may share a row.
class RowSums {
  public:
    RowSums(const Picture& picture, double scale) : picture_(picture) {
        for (int i = 0; i < kSharpnessSide; ++i) columns_[i] = area_span(i, scale, picture.width);
    }

    void add(int row, float weight, Line& totals) {
        if (row != row_) {
            row_loops().sum_row(picture_.pixels + row * picture_.row_bytes, columns_, sums_.data());
        }
        row_ = row;
        for (std::size_t i = 0; i < sums_.size(); ++i) totals[i] += sums_[i] * weight;
    }

  private:
    const Picture& picture_;
    AreaSpan columns_[kSharpnessSide];
    Line sums_;
    int row_ = -1;
};

/// The small picture where both sides shrink: averaged_pixel() of every place.
void average(const Picture& picture, const CropSource& source, bool swap, unsigned char* gray) {
    RowSums rows(picture, source.scale_x);
    for (int y = 0; y < kSharpnessSide; ++y) {
        const AreaSpan span = area_span(y, source.scale_y, picture.height);
        Line totals{};
        if (span.before > 0.0f) rows.add(span.first - 1, span.before, totals);
        for (int row = span.first; row < span.end; ++row) rows.add(row, span.whole, totals);
        if (span.after > 0.0f) rows.add(span.end, span.after, totals);
        row_loops().gray_row(totals.data(), swap, gray + y * kSharpnessSide);
    }
}

/// The small picture pixel by pixel, as a GPU makes it.
void shrink(const CropSource& source, bool swap, unsigned char* gray) {
    const ConversionRule rule = conversion_rule(kBt709);  // of NV12 alone
    for (int y = 0; y < kSharpnessSide; ++y)
        for (int x = 0; x < kSharpnessSide; ++x)
            gray[y * kSharpnessSide + x] = small_gray<kRgb>(source, rule, swap, x, y);
}

/// add_pixel() of a line but its first and last: sums of so few fit 32 bits.
PAMTRI_CLONES void add_inner(Moments& sums, const unsigned char* gray, int y) {
    constexpr int last = kSharpnessSide - 1;
    const unsigned char* row = gray + y * kSharpnessSide;
    const unsigned char* above = gray + (y == 0 ? 1 : y - 1) * kSharpnessSide;
    const unsigned char* below = gray + (y == last ? last - 1 : y + 1) * kSharpnessSide;
    int values = 0, squares = 0, details = 0, detail_squares = 0;
    for (int x = 1; x < last; ++x) {
        const int value = row[x];
        const int detail = row[x - 1] + row[x + 1] + above[x] + below[x] - 4 * value;
        values += value;
        squares += value * value;
        details += detail;
        detail_squares += detail * detail;
    }
    sums.gray += values;
    sums.gray_squares += squares;
    sums.detail += details;
    sums.detail_squares += detail_squares;
}

double sharpness_of_one(const Picture& picture, bool swap_channels) {
    const CropSource source = source_of(picture);
    unsigned char gray[kSharpnessSide * kSharpnessSide];
    if (shrinking_of(source) == kAveraged)
        average(picture, source, swap_channels, gray);
    else
        shrink(source, swap_channels, gray);
    Moments sums{};
    for (int y = 0; y < kSharpnessSide; ++y) {
        add_pixel(sums, gray, 0, y);
        add_inner(sums, gray, y);
        add_pixel(sums, gray, kSharpnessSide - 1, y);
    }
    return sharpness_of(sums);
}

}  // namespace

void sharpness(const std::vector<Picture>& pictures, bool swap_channels, double* out) {
    parallel_for(pictures.size(), 1, [&](std::size_t index) {
        out[index] = sharpness_of_one(pictures[index], swap_channels);
    });
}

}  // namespace pamtri::cpu
