// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "event.hpp"
#include "known.hpp"
#include "manifest.hpp"
#include "tracks.hpp"
#include "utc.hpp"

namespace pamtri::gst {

/// What the network said of the view that counts most of its track.
struct Best {
    core::Failings failings = 0;
    core::Rectangle rectangle;
    double time_s = 0;
    std::optional<double> quality;
    std::vector<float> keypoints;  ///< rows of x, y, confidence; x and y in parts of the rectangle
};

/// What is known so far of a track with at least one embedded view.
Known make_known(const core::Fusion& fusion, const Best& best, int views,
                 const engines::Manifest& manifest);

/// The event of a closed track, to the same digits as Python's `make_event`; `start` is the moment
/// of the stream's first frame, where that is known.
core::Event make_event(const core::Closed& track, const Best& best,
                       const engines::Manifest& manifest, const std::string& camera,
                       std::optional<core::Moment> start);

}  // namespace pamtri::gst
