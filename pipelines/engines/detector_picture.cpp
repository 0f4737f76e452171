// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "detector_picture.hpp"

#include <array>
#include <cstddef>

#include "operations.hpp"

namespace pamtri::engines {
namespace {

constexpr int kPad = 114;  // around a letterboxed picture, in YOLOX's training and in Ultralytics'

/// What each of the 256 values becomes, in one channel of the picture.
std::array<float, 256> levels_of(const core::PictureInput& input, std::size_t channel) {
    std::array<float, 256> levels{};
    for (std::size_t value = 0; value < levels.size(); ++value)
        levels[value] = (static_cast<float>(value) / input.divisor - input.mean[channel]) /
                        input.deviation[channel];
    return levels;
}

}  // namespace

std::vector<float> picture_numbers(const RgbPicture& frame, const core::PictureInput& input,
                                   const core::FramePlace& place) {
    const core::Rectangle& filled = place.filled;
    const int wide = filled.x2 - filled.x1, high = filled.y2 - filled.y1;
    const auto width = static_cast<std::size_t>(input.size.width);
    const std::size_t plane = width * static_cast<std::size_t>(input.size.height);
    const std::size_t small = static_cast<std::size_t>(wide) * static_cast<std::size_t>(high);
    std::vector<float> pixels(3 * small);
    cpu::resize(
        {{frame.pixels, 3 * static_cast<std::ptrdiff_t>(frame.width), frame.width, frame.height}},
        {wide, high}, false, pixels.data());
    std::vector<float> numbers(3 * plane);
    for (std::size_t channel = 0; channel < 3; ++channel) {
        const std::array<float, 256> levels = levels_of(input, channel);
        const std::size_t place_of = input.bgr ? 2 - channel : channel;
        const std::size_t step = input.channels_last ? 3 : 1;
        float* to = numbers.data() + (input.channels_last ? place_of : place_of * plane);
        for (std::size_t i = 0; i < plane; ++i) to[step * i] = levels[kPad];
        const float* from = pixels.data() + channel * small;
        for (int row = filled.y1; row < filled.y2; ++row)
            for (int column = filled.x1; column < filled.x2; ++column, ++from)
                to[step *
                   (static_cast<std::size_t>(row) * width + static_cast<std::size_t>(column))] =
                    levels[static_cast<std::size_t>(*from)];
    }
    return numbers;
}

}  // namespace pamtri::engines
