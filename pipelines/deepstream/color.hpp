// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nvbufsurface.h>

#include <optional>
#include <string>

#include "pamtri/pixels.hpp"

namespace pamtri::deepstream {

/// How the kernels read a surface's pixels.
struct PixelRule {
    PixelForm form = kNv12Sited;
    Conversion conversion = kBt601;  ///< of NV12
    bool swapped = false;            ///< blue comes first
};

/// The rule of a color format, which tells the matrix and the range; none for one that is not read.
std::optional<PixelRule> pixel_rule(NvBufSurfaceColorFormat format);

/// What a dump calls the conversion of NV12, such as "bt709-full", and the plane of other forms,
/// such as "bgra".
std::string conversion_name(Conversion conversion);
std::string plane_name(const PixelRule& rule);

/// A color format in an error: its name where it is a common one, and its number.
std::string words_of(NvBufSurfaceColorFormat format);

}  // namespace pamtri::deepstream
