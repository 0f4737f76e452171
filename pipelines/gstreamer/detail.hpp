// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "frame_pixels.hpp"

namespace pamtri::gst {

/// How sharp a picture is: standard deviation of the Laplacian over that of the brightness, at
/// 64x64; 0 for one without contrast.
double detail(const Picture& picture);

}  // namespace pamtri::gst
