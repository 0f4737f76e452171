// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "pamtri/sharpness.hpp"

#include "operations.hpp"
#include "parallel.hpp"

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

double sharpness_of_one(const Picture& picture, bool swap_channels) {
    const CropSource source = source_of(picture);
    const ConversionRule rule = conversion_rule(kBt709);  // of NV12 alone
    unsigned char gray[kSharpnessSide * kSharpnessSide];
    for (int y = 0; y < kSharpnessSide; ++y)
        for (int x = 0; x < kSharpnessSide; ++x)
            gray[y * kSharpnessSide + x] =
                static_cast<unsigned char>(small_gray<kRgb>(source, rule, swap_channels, x, y));
    Moments sums{};
    for (int y = 0; y < kSharpnessSide; ++y)
        for (int x = 0; x < kSharpnessSide; ++x) add_pixel(sums, gray, x, y);
    return sharpness_of(sums);
}

}  // namespace

void sharpness(const std::vector<Picture>& pictures, bool swap_channels, double* out) {
    parallel_for(pictures.size(), 1, [&](std::size_t index) {
        out[index] = sharpness_of_one(pictures[index], swap_channels);
    });
}

}  // namespace pamtri::cpu
