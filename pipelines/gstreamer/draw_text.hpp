// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Text of lines, as plotters write it: any height, no font files, no libraries, which a Jetson's or
// a container's bare image lacks. Letters of ASCII; any other character is an empty box.
#pragma once

#include <string>

#include "draw_mask.hpp"
#include "overlay.hpp"

namespace pamtri::gst {

/// The extent of a text whose capital letters are so many pixels high.
core::TextSize text_size(const std::string& text, double height);

/// Cover the lines of a text.
void add_text(Mask* mask, const std::string& text, core::TextPlace place, double height);

}  // namespace pamtri::gst
