// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <utility>

#include "operations.hpp"
#include "runner.hpp"

namespace pamtri::gst {

std::vector<engines::Answer> describe(engines::Network& network, const std::vector<Picture>& crops,
                                      std::vector<float>* images) {
    // Networks take squares: the resizing operation makes nothing else.
    const auto size = static_cast<std::size_t>(network.picture_size().width);
    std::vector<cpu::Picture> sources;
    for (const Picture& crop : crops)
        sources.push_back({crop.rgb.data(), 3 * static_cast<std::ptrdiff_t>(crop.width), crop.width,
                           crop.height});
    const std::size_t plane = size * size;
    std::vector<float> planes(3 * plane * crops.size());
    cpu::resize(sources, {static_cast<int>(size), static_cast<int>(size)}, false, planes.data());
    std::vector<std::uint8_t> pictures(planes.size());
    for (std::size_t item = 0; item < crops.size(); ++item)
        for (std::size_t channel = 0; channel < 3; ++channel) {
            const float* from = planes.data() + (3 * item + channel) * plane;
            std::uint8_t* to = pictures.data() + 3 * item * plane + channel;
            for (std::size_t i = 0; i < plane; ++i) to[3 * i] = static_cast<std::uint8_t>(from[i]);
        }
    if (images) *images = std::move(planes);
    return network.run(pictures.data(), static_cast<int>(crops.size()));
}

}  // namespace pamtri::gst
