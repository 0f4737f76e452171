// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "crop_rules.hpp"
#include "planar.hpp"

namespace pamtri::gst {

/// One channel of a frame, however its values lie: planes, pairs, or beside the others'.
struct Channel {
    const std::uint8_t* first = nullptr;
    std::ptrdiff_t row_bytes = 0;
    int step = 1;  ///< bytes from a value to the next
};

/// A frame in host memory: R, G, B, or Y, U, V with half the chroma each way, and the conversion to
/// RGB that its caps tell.
struct FramePixels {
    core::FrameSize size;
    Channel channels[3];
    bool is_yuv = false;
    ConversionRule rule{};
    cpu::ChromaSite site;  ///< of Y, U, V
};

struct Original;

/// A picture of its own: rows of 8-bit RGB, no gaps.
struct Picture {
    int width = 0, height = 0;
    std::vector<std::uint8_t> rgb;
    std::shared_ptr<const void> elsewhere;  ///< its pixels, where they lie on a device instead
    std::shared_ptr<Original> original;     ///< how it lay in its frame, where that is dumped
};

/// Cut a rectangle that lies inside the frame; only its pixels are converted.
Picture cut(const FramePixels& frame, const core::Rectangle& rectangle);

}  // namespace pamtri::gst
