// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The same frame on the fake GPU and in the host's memory.
#pragma once

#include <nvbufsurface.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "frame_pixels.hpp"

namespace test {

struct SurfaceEnd {
    void operator()(NvBufSurface* surface) const { NvBufSurfaceDestroy(surface); }
};
using Surfaces = std::unique_ptr<NvBufSurface, SurfaceEnd>;

struct Form {
    NvBufSurfaceColorFormat format = NVBUF_COLOR_FORMAT_NV12;
    NvBufSurfaceMemType memory = NVBUF_MEM_CUDA_DEVICE;
    NvBufSurfaceLayout layout = NVBUF_LAYOUT_PITCH;
    unsigned width = 70, height = 50, gpu = 0;
};

Surfaces new_surfaces(unsigned count, const Form& form);

/// Pixels of a frame: smooth colors and some noise, another for each seed.
class Painted {
  public:
    Painted(const Form& form, unsigned seed);
    Painted(const Painted&) = delete;
    Painted& operator=(const Painted&) = delete;

    /// Put them on a surface of the same form.
    void put(NvBufSurface* surface, unsigned index) const;

    /// The frame in the host's memory, and what of it the host makes as RGB.
    const pamtri::gst::FramePixels& pixels() const { return pixels_; }
    const std::vector<std::uint8_t>& rgb() const { return rgb_; }

    /// Its planes one after another.
    std::vector<std::uint8_t> bytes() const;

  private:
    std::vector<std::vector<std::uint8_t>> planes_;
    std::vector<std::uint8_t> rgb_;
    pamtri::gst::FramePixels pixels_;
};

}  // namespace test
