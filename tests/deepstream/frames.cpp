// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "frames.hpp"

#include <cmath>

#include "color.hpp"
#include "fake_nvbuf.hpp"

namespace test {

namespace {

/// A value of a smooth pattern, and some noise.
std::uint8_t value_at(unsigned x, unsigned y, unsigned channel, unsigned seed) {
    const double wave = std::sin(0.11 * x + seed) + std::cos(0.07 * y * (channel + 1) + seed);
    const unsigned noise = (x * 2654435761u ^ y * 40503u ^ (seed + channel) * 97u) >> 7 & 31u;
    return static_cast<std::uint8_t>(112 + 45 * wave + noise);
}

std::vector<std::uint8_t> plane(unsigned width, unsigned height, unsigned bytes, unsigned channel,
                                unsigned seed) {
    std::vector<std::uint8_t> rows;
    for (unsigned y = 0; y < height; ++y)
        for (unsigned x = 0; x < width; ++x)
            for (unsigned i = 0; i < bytes; ++i) rows.push_back(value_at(x, y, channel + i, seed));
    return rows;
}

}  // namespace

Surfaces new_surfaces(unsigned count, const Form& form) {
    NvBufSurfaceCreateParams wanted{};
    wanted.gpuId = form.gpu;
    wanted.width = form.width;
    wanted.height = form.height;
    wanted.colorFormat = form.format;
    wanted.layout = form.layout;
    wanted.memType = form.memory;
    NvBufSurface* made = nullptr;
    NvBufSurfaceCreate(&made, count, &wanted);
    made->numFilled = count;
    return Surfaces(made);
}

Painted::Painted(const Form& form, unsigned seed) {
    const auto rule =
        pamtri::deepstream::pixel_rule(form.format).value_or(pamtri::deepstream::PixelRule{});
    const unsigned w = form.width, h = form.height;
    const unsigned bytes = rule.form == pamtri::kRgba ? 4 : 3;
    if (rule.form == pamtri::kNv12)
        planes_ = {plane(w, h, 1, 0, seed), plane((w + 1) / 2, (h + 1) / 2, 2, 1, seed)};
    else
        planes_ = {plane(w, h, bytes, 0, seed)};
    const pamtri::ConversionRule conversion = pamtri::conversion_rule(rule.conversion);
    for (unsigned y = 0; y < h; ++y)
        for (unsigned x = 0; x < w; ++x) {
            const std::size_t at = std::size_t{y} * w + x;
            if (rule.form == pamtri::kNv12) {
                const std::uint8_t* pair =
                    planes_[1].data() + 2 * (std::size_t{y / 2} * ((w + 1) / 2) + x / 2);
                const pamtri::Rgb rgb =
                    pamtri::converted(planes_[0][at], pair[0], pair[1], conversion);
                for (const int value : {rgb.red, rgb.green, rgb.blue})
                    rgb_.push_back(static_cast<std::uint8_t>(value));
                continue;
            }
            for (unsigned i = 0; i < 3; ++i)
                rgb_.push_back(planes_[0][at * bytes + (rule.swapped ? 2 - i : i)]);
        }
    pixels_.size = {static_cast<int>(w), static_cast<int>(h)};
    for (unsigned i = 0; i < 3; ++i)
        pixels_.channels[i] = {rgb_.data() + i, static_cast<std::ptrdiff_t>(3 * w), 3};
}

void Painted::put(NvBufSurface* surface, unsigned index) const {
    for (unsigned i = 0; i < planes_.size(); ++i) nvbuf::put(surface, index, i, planes_[i]);
}

}  // namespace test
