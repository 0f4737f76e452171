// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "conclude.hpp"
#include "known.hpp"
#include "tracks.hpp"

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
                 const core::Labels& labels);

/// What a track that is over came to.
core::Conclusion concluded(const core::Closed& track, const Best& best);

}  // namespace pamtri::gst
