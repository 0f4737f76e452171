// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "cutter.hpp"

#include <memory>
#include <utility>

#include "detail.hpp"

namespace pamtri::gst {

double HostCutter::detail(const core::Rectangle& rectangle) {
    last_ = gst::cut(frame_, rectangle);
    return gst::detail(last_);
}

Picture HostCutter::cut(const core::Rectangle&) {
    Picture picture = std::exchange(last_, {});
    if (origin_) {
        // The element's own conversion is not what a dump of it is asked about.
        picture.original = std::make_shared<Original>();
        picture.original->planes = {{"rgb", {picture.height, picture.width, 3}, picture.rgb}};
        picture.original->inside = {0, 0, picture.width, picture.height};
        picture.original->origin = *origin_;
    }
    return picture;
}

}  // namespace pamtri::gst
