// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// sharpness: detail over contrast of a picture, at 64x64 so that pictures of different sizes
// compare: the standard deviation of the Laplacian over that of the brightness, 0 without contrast.
//
// The small picture is that of cv2.resize with INTER_AREA, bit for bit. Where both sides shrink it
// averages over areas, in float32; by whole factors, in whole numbers; else it blends two lines as
// crop.hpp does, but of other places. Brightness is cv2.COLOR_RGB2GRAY, in 15 bits. All sums behind
// that are of whole numbers, so that their order does not matter.
#pragma once

#include "pamtri/crop.hpp"

namespace pamtri {

constexpr int kSharpnessSide = 64;

/// How a side of the picture becomes 64 lines.
enum Shrinking { kBlended = 0, kAveraged = 1, kWholeFactor = 2 };

/// The source lines of an output line: those from `first` to before `end` whole, and parts of the
/// ones next to them.
struct AreaSpan {
    int first, end;
    float before, whole, after;  // weights of the line before `first`, of each between, of `end`
};

PAMTRI_HD int floor_of(double value) { return static_cast<int>(value); }  // 0 and more

PAMTRI_HD int ceiling_of(double value) {
    const int whole = static_cast<int>(value);
    return static_cast<double>(whole) < value ? whole + 1 : whole;
}

PAMTRI_HD AreaSpan area_span(int line, double scale, int extent) {
    constexpr double least = 1e-3;  // a smaller part of a line is left out
    const double begin = product(static_cast<double>(line), scale);
    const double end = begin + scale;
    const double rest = static_cast<double>(extent) - begin;
    const double width = scale < rest ? scale : rest;
    AreaSpan span;
    span.end = floor_of(end) < extent - 1 ? floor_of(end) : extent - 1;
    span.first = ceiling_of(begin) < span.end ? ceiling_of(begin) : span.end;
    const double before = span.first - begin;
    const double after = end - span.end;
    const double part = after < 1.0 ? after : 1.0;
    span.before = before > least ? static_cast<float>(before / width) : 0.0f;
    span.whole = static_cast<float>(1.0 / width);
    span.after = after > least ? static_cast<float>((part < width ? part : width) / width) : 0.0f;
    return span;
}

/// The two lines that an output line is blended of where the picture does not shrink.
PAMTRI_HD Tap blended_tap(int line, double scale, int extent, bool column) {
    const double inverse = static_cast<double>(kSharpnessSide) / static_cast<double>(extent);
    const int first = floor_of(product(static_cast<double>(line), scale));
    float fraction =
        static_cast<float>((line + 1) - product(static_cast<double>(first + 1), inverse));
    fraction = fraction <= 0.0f ? 0.0f : fraction - static_cast<float>(static_cast<int>(fraction));
    if (column && first >= extent - 1) fraction = 0.0f;
    return {clamped(first, 0, extent - 1), clamped(first + 1, 0, extent - 1),
            rounded(product(1.0f - fraction, static_cast<float>(kWeightOne))),
            rounded(product(fraction, static_cast<float>(kWeightOne)))};
}

PAMTRI_HD bool is_whole(double scale) {
    const double off = scale - static_cast<double>(static_cast<int>(scale + 0.5));
    return (off < 0 ? -off : off) < 2.220446049250313e-16;
}

PAMTRI_HD Shrinking shrinking_of(const CropSource& source) {
    if (source.scale_x < 1.0 || source.scale_y < 1.0) return kBlended;
    return is_whole(source.scale_x) && is_whole(source.scale_y) ? kWholeFactor : kAveraged;
}

/// Three colors while they are summed.
struct Sums {
    float red, green, blue;
};

PAMTRI_HD void add_weighted(Sums& sums, const Rgb& pixel, float weight) {
    sums.red += product(static_cast<float>(pixel.red), weight);
    sums.green += product(static_cast<float>(pixel.green), weight);
    sums.blue += product(static_cast<float>(pixel.blue), weight);
}

/// The nearest whole number of 0..255, halves to even.
PAMTRI_HD int byte_of(float value) { return clamped(rounded(value), 0, 255); }

/// A picture whose pixels can be asked for: of a surface, in any form.
template <int Form>
struct PixelsOf {
    const CropSource& source;
    const ConversionRule& rule;

    PAMTRI_HD Rgb operator()(int x, int y) const {
        return pixel_at<Form>(source.surface, rule, source.x + x, source.y + y);
    }
};

template <typename Pixels>
PAMTRI_HD Sums row_sums(const Pixels& pixels, const AreaSpan& columns, int y) {
    Sums sums{0.0f, 0.0f, 0.0f};
    if (columns.before > 0.0f) add_weighted(sums, pixels(columns.first - 1, y), columns.before);
    for (int x = columns.first; x < columns.end; ++x)
        add_weighted(sums, pixels(x, y), columns.whole);
    if (columns.after > 0.0f) add_weighted(sums, pixels(columns.end, y), columns.after);
    return sums;
}

PAMTRI_HD void add_row(Sums& total, const Sums& row, float weight) {
    total.red += product(row.red, weight);
    total.green += product(row.green, weight);
    total.blue += product(row.blue, weight);
}

template <typename Pixels>
PAMTRI_HD Rgb averaged_pixel(const Pixels& pixels, const AreaSpan& rows, const AreaSpan& columns) {
    Sums total{0.0f, 0.0f, 0.0f};
    if (rows.before > 0.0f) add_row(total, row_sums(pixels, columns, rows.first - 1), rows.before);
    for (int y = rows.first; y < rows.end; ++y)
        add_row(total, row_sums(pixels, columns, y), rows.whole);
    if (rows.after > 0.0f) add_row(total, row_sums(pixels, columns, rows.end), rows.after);
    return {byte_of(total.red), byte_of(total.green), byte_of(total.blue)};
}

/// A sum over an area of whole lines, as a mean: by 2x2, halves upward, else to even.
PAMTRI_HD int mean_of(int sum, int wide, int high) {
    if (wide == 2 && high == 2) return (sum + 2) >> 2;
    return byte_of(product(static_cast<float>(sum), 1.0f / static_cast<float>(wide * high)));
}

template <typename Pixels>
PAMTRI_HD Rgb mean_pixel(const Pixels& pixels, int x, int y, int wide, int high) {
    Rgb sum{0, 0, 0};
    for (int row = y * high; row < (y + 1) * high; ++row) {
        for (int column = x * wide; column < (x + 1) * wide; ++column) {
            const Rgb pixel = pixels(column, row);
            sum.red += pixel.red;
            sum.green += pixel.green;
            sum.blue += pixel.blue;
        }
    }
    return {mean_of(sum.red, wide, high), mean_of(sum.green, wide, high),
            mean_of(sum.blue, wide, high)};
}

// cv2.COLOR_RGB2GRAY, in units of 2^-15.
constexpr int kRedWeight = 9798;
constexpr int kGreenWeight = 19235;
constexpr int kBlueWeight = 3735;

/// The brightness of a pixel, 0..255.
PAMTRI_HD unsigned char brightness(const Rgb& pixel, bool swap) {
    const int red = swap ? pixel.blue : pixel.red;
    const int blue = swap ? pixel.red : pixel.blue;
    return static_cast<unsigned char>(
        (red * kRedWeight + pixel.green * kGreenWeight + blue * kBlueWeight + (1 << 14)) >> 15);
}

/// A pixel of the small picture, as brightness of 0..255.
template <int Form>
PAMTRI_HD unsigned char small_gray(const CropSource& source, const ConversionRule& rule, bool swap,
                                   int x, int y) {
    const PixelsOf<Form> pixels{source, rule};
    const Shrinking shrinking = shrinking_of(source);
    Rgb pixel;
    if (shrinking == kWholeFactor) {
        pixel = mean_pixel(pixels, x, y, static_cast<int>(source.scale_x + 0.5),
                           static_cast<int>(source.scale_y + 0.5));
    } else if (shrinking == kAveraged) {
        pixel = averaged_pixel(pixels, area_span(y, source.scale_y, source.height),
                               area_span(x, source.scale_x, source.width));
    } else {
        pixel =
            resized_pixel<Form>(source, rule, blended_tap(y, source.scale_y, source.height, false),
                                blended_tap(x, source.scale_x, source.width, true));
    }
    return brightness(pixel, swap);
}

/// The Laplacian at a pixel; beyond the border the picture is mirrored, without its last line.
PAMTRI_HD int laplacian(const unsigned char* gray, int x, int y) {
    constexpr int last = kSharpnessSide - 1;
    const int left = x == 0 ? 1 : x - 1;
    const int right = x == last ? last - 1 : x + 1;
    const int above = y == 0 ? 1 : y - 1;
    const int below = y == last ? last - 1 : y + 1;
    const unsigned char* row = gray + y * kSharpnessSide;
    return row[left] + row[right] + gray[above * kSharpnessSide + x] +
           gray[below * kSharpnessSide + x] - 4 * row[x];
}

/// Sums over the small picture.
struct Moments {
    long long gray, gray_squares, detail, detail_squares;
};

PAMTRI_HD void add_pixel(Moments& sums, const unsigned char* gray, int x, int y) {
    const int value = gray[y * kSharpnessSide + x];
    const int detail = laplacian(gray, x, y);
    sums.gray += value;
    sums.gray_squares += value * value;
    sums.detail += detail;
    sums.detail_squares += detail * detail;
}

PAMTRI_HD double root_of(double value) {
#if defined(__CUDA_ARCH__)
    return __dsqrt_rn(value);
#else
    return __builtin_sqrt(value);
#endif
}

PAMTRI_HD double sharpness_of(const Moments& sums) {
    constexpr long long count = kSharpnessSide * kSharpnessSide;
    const long long contrast = count * sums.gray_squares - sums.gray * sums.gray;
    const long long detail = count * sums.detail_squares - sums.detail * sums.detail;
    if (contrast <= 0) return 0.0;
    return root_of(static_cast<double>(detail)) / root_of(static_cast<double>(contrast));
}

}  // namespace pamtri
