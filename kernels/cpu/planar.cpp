// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "planar.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "clones.hpp"
#include "parallel.hpp"

namespace pamtri::cpu {
namespace {

constexpr std::size_t kPixelsAtATime = 1 << 15;  // tens of microseconds, worth waking a thread for
// Chroma is a sum of quarters of quarters, so in sixteenths: these fit 32 bits with 17 of fraction.
constexpr int kQuarters = 4;
constexpr int kSixteenths = 16;
constexpr int kBits = 17;
constexpr int kDroppedBits = kConversionBits - kBits;

/// A value between two neighbors: their numbers, and the quarters that each counts.
struct Blend {
    int first, second, of_first, of_second;
};

Blend blend_at(int pixel, int count, bool on_first) {
    const int half = pixel / 2;
    const bool odd = pixel % 2 != 0;
    Blend blend{};
    if (on_first)
        blend = odd ? Blend{half, half + 1, 2, 2} : Blend{half, half, kQuarters, 0};
    else
        blend = odd ? Blend{half, half + 1, 3, 1} : Blend{half - 1, half, 1, 3};
    blend.first = std::max(blend.first, 0);
    blend.second = std::min(blend.second, count - 1);
    return blend;
}

/// The factors of a conversion for chroma in sixteenths.
struct Factors {
    int black, luma, red_v, green_u, green_v, blue_u;
};

int shortened(int factor) { return (factor + (1 << (kDroppedBits - 1))) >> kDroppedBits; }

Factors factors_of(const ConversionRule& rule) {
    return {rule.black,
            shortened(rule.luma) * kSixteenths,
            shortened(rule.red_v),
            shortened(rule.green_u),
            shortened(rule.green_v),
            shortened(rule.blue_u)};
}

PAMTRI_CLONES
void blend_rows(const std::uint8_t* first, const std::uint8_t* second, int step, const Blend& blend,
                int count, int* out) {
    for (int i = 0; i < count; ++i)
        out[i] = first[i * step] * blend.of_first + second[i * step] * blend.of_second;
}

/// Widen a row of chroma (quarters) from a column's value on: out[i] is of pixel 2 * begin + i.
PAMTRI_CLONES
void widen(const int* row, int begin, int end, int count, bool on_first, int* out) {
    for (int i = begin; i < end; ++i) {
        const int before = row[std::max(i - 1, 0)], here = row[i],
                  after = row[std::min(i + 1, count - 1)];
        int* pair = out + 2 * (i - begin);
        pair[0] = on_first ? kQuarters * here : before + 3 * here;
        pair[1] = on_first ? 2 * (here + after) : 3 * here + after;
    }
}

PAMTRI_CLONES
void convert_row(const std::uint8_t* luma, int step, const int* u, const int* v, const Factors& f,
                 int width, std::uint8_t* rgb) {
    constexpr int kMiddle = 128 * kSixteenths;
    constexpr int kShift = kBits + 4;
    for (int x = 0; x < width; ++x) {
        const int base = (luma[x * step] - f.black) * f.luma + (1 << (kShift - 1));
        const int of_u = u[x] - kMiddle, of_v = v[x] - kMiddle;
        const int red = (base + f.red_v * of_v) >> kShift;
        const int green = (base + f.green_u * of_u + f.green_v * of_v) >> kShift;
        const int blue = (base + f.blue_u * of_u) >> kShift;
        rgb[3 * x] = static_cast<std::uint8_t>(std::clamp(red, 0, 255));
        rgb[3 * x + 1] = static_cast<std::uint8_t>(std::clamp(green, 0, 255));
        rgb[3 * x + 2] = static_cast<std::uint8_t>(std::clamp(blue, 0, 255));
    }
}

/// One row of a part after another, with the scratch that they share.
class Rows {
  public:
    Rows(const PlanarFrame& frame, const Part& part)
        : frame_(frame),
          part_(part),
          factors_(factors_of(frame.rule)),
          columns_((frame.width + 1) / 2),
          lines_((frame.height + 1) / 2),
          first_(part.x1 / 2),
          last_((part.x2 + 1) / 2),
          narrow_(static_cast<std::size_t>(columns_)),
          wide_u_(2 * static_cast<std::size_t>(last_ - first_)),
          wide_v_(wide_u_.size()) {}

    void convert(int y, std::uint8_t* rgb) {
        const Blend blend = blend_at(y, lines_, frame_.site.on_row);
        spread(frame_.u, frame_.u_row_bytes, blend, wide_u_.data());
        spread(frame_.v, frame_.v_row_bytes, blend, wide_v_.data());
        const int skip = part_.x1 % 2;
        convert_row(frame_.luma + y * frame_.luma_row_bytes +
                        static_cast<std::ptrdiff_t>(part_.x1) * frame_.luma_step,
                    frame_.luma_step, wide_u_.data() + skip, wide_v_.data() + skip, factors_,
                    part_.x2 - part_.x1, rgb);
    }

  private:
    /// A row of chroma at the pixels of the part's columns, which its neighbors reach into.
    void spread(const std::uint8_t* plane, std::ptrdiff_t row_bytes, const Blend& blend, int* out) {
        const int begin = std::max(first_ - 1, 0), end = std::min(last_ + 1, columns_);
        const std::ptrdiff_t skip = static_cast<std::ptrdiff_t>(begin) * frame_.chroma_step;
        blend_rows(plane + blend.first * row_bytes + skip, plane + blend.second * row_bytes + skip,
                   frame_.chroma_step, blend, end - begin, narrow_.data() + begin);
        widen(narrow_.data(), first_, last_, columns_, frame_.site.on_column, out);
    }

    const PlanarFrame& frame_;
    const Part& part_;
    const Factors factors_;
    const int columns_, lines_;  // of the planes of chroma
    const int first_, last_;     // columns of chroma that the part's pixels lie in
    std::vector<int> narrow_, wide_u_, wide_v_;
};

int scaled(double factor) { return static_cast<int>(std::lround(factor * (1 << kConversionBits))); }

}  // namespace

ConversionRule rule_of(double kr, double kb, bool full) {
    const double luma = full ? 1.0 : 255.0 / 219, chroma = full ? 1.0 : 255.0 / 224;
    const double of_red = 2 * chroma * (1 - kr), of_blue = 2 * chroma * (1 - kb);
    const double kg = 1 - kr - kb;
    return {full ? 0 : 16,
            scaled(luma),
            scaled(of_red),
            scaled(-of_blue * kb / kg),
            scaled(-of_red * kr / kg),
            scaled(of_blue)};
}

void planar_to_rgb(const PlanarFrame& frame, const Part& part, std::uint8_t* rgb) {
    const auto height = static_cast<std::size_t>(std::max(part.y2 - part.y1, 0));
    const std::size_t row_bytes = 3 * static_cast<std::size_t>(std::max(part.x2 - part.x1, 0));
    const std::size_t rows_at_a_time = 3 * kPixelsAtATime / std::max<std::size_t>(row_bytes, 3) + 1;
    const std::size_t pieces = (height + rows_at_a_time - 1) / rows_at_a_time;
    parallel_for(pieces, 1, [&](std::size_t piece) {
        Rows rows(frame, part);
        const std::size_t end = std::min((piece + 1) * rows_at_a_time, height);
        for (std::size_t row = piece * rows_at_a_time; row < end; ++row)
            rows.convert(part.y1 + static_cast<int>(row), rgb + row * row_bytes);
    });
}

}  // namespace pamtri::cpu
