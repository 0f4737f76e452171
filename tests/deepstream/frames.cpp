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
    pixels_.size = {static_cast<int>(w), static_cast<int>(h)};
    if (rule.form == pamtri::kNv12Sited) {
        planes_ = {plane(w, h, 1, 0, seed), plane((w + 1) / 2, (h + 1) / 2, 2, 1, seed)};
        const std::uint8_t* pairs = planes_[1].data();
        const auto pitch = static_cast<std::ptrdiff_t>((w + 1) / 2 * 2);
        pixels_.channels[0] = {planes_[0].data(), static_cast<std::ptrdiff_t>(w), 1};
        pixels_.channels[1] = {pairs, pitch, 2};
        pixels_.channels[2] = {pairs + 1, pitch, 2};
        pixels_.is_yuv = true;
        pixels_.rule = pamtri::conversion_rule(rule.conversion);
    } else {
        const unsigned bytes = rule.form == pamtri::kRgba ? 4 : 3;
        planes_ = {plane(w, h, bytes, 0, seed)};
        for (unsigned i = 0; i < 3; ++i)
            pixels_.channels[i] = {planes_[0].data() + (rule.swapped ? 2 - i : i),
                                   static_cast<std::ptrdiff_t>(w * bytes), static_cast<int>(bytes)};
    }
    rgb_ = pamtri::gst::cut(pixels_, {0, 0, static_cast<int>(w), static_cast<int>(h)}).rgb;
}

std::vector<std::uint8_t> Painted::bytes() const {
    std::vector<std::uint8_t> all;
    for (const auto& plane : planes_) all.insert(all.end(), plane.begin(), plane.end());
    return all;
}

void Painted::put(NvBufSurface* surface, unsigned index) const {
    for (unsigned i = 0; i < planes_.size(); ++i) nvbuf::put(surface, index, i, planes_[i]);
}

}  // namespace test
