// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/video/video.h>

#include <cstddef>
#include <cstdint>

#include "draw_mask.hpp"
#include "overlay.hpp"
#include "pamtri/pixels.hpp"

namespace pamtri::gst {

/// A frame that is mapped for writing, of any of PAMTRI_FORMATS, to paint colors into.
class Canvas {
  public:
    explicit Canvas(const GstVideoFrame& frame);

    core::FrameSize size() const { return size_; }

    /// Paint a color where a mask covers pixels. Chroma that pixels share is painted by how much of
    /// them is covered. A fourth channel stays as it is.
    void paint(const Mask& mask, const core::OverlayColor& color);

  private:
    struct Plane {
        std::uint8_t* first = nullptr;
        std::ptrdiff_t row_bytes = 0;
        int step = 1;    ///< bytes from a value to the next
        int shrink = 0;  ///< it has a value for 2^shrink x 2^shrink pixels
    };

    void paint(const Plane& plane, const Mask& mask, int value);

    core::FrameSize size_;
    Plane planes_[3];
    bool is_yuv_ = false;
    ConversionRule rule_{};
};

/// Y, U and V, 0 to 255, of an RGB color: what `converted` makes that color of.
Rgb yuv_of(const core::OverlayColor& color, const ConversionRule& rule);

}  // namespace pamtri::gst
