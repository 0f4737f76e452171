// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/video/video.h>

#include "frame_pixels.hpp"

namespace pamtri::gst {

/// The formats that frames may have, as a caps string lists them.
#define PAMTRI_FORMATS "{ RGB, BGR, NV12, I420, RGBx, BGRx, RGBA, BGRA, NV21, YV12 }"

/// The form of the frames that caps describe; false where they describe none.
bool read_form(const GstCaps* caps, GstVideoInfo* form);

/// A mapped frame's pixels; valid while it is mapped.
FramePixels pixels_of(const GstVideoFrame& frame);

}  // namespace pamtri::gst
