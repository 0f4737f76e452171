// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "cutter.hpp"

#include <utility>

#include "detail.hpp"

namespace pamtri::gst {

double HostCutter::detail(const core::Rectangle& rectangle) {
    last_ = gst::cut(frame_, rectangle);
    return gst::detail(last_);
}

Picture HostCutter::cut(const core::Rectangle&) { return std::exchange(last_, {}); }

}  // namespace pamtri::gst
