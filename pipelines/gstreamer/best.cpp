// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "best.hpp"

#include <tuple>

namespace pamtri::gst {

Known make_known(const core::Fusion& fusion, const Best& best, int views,
                 const core::Labels& labels) {
    Known known;
    known.passed = fusion.good();
    known.views = views;
    known.quality = best.quality.value_or(-1);
    known.time_s = best.time_s;
    known.embedding = fusion.embedding();
    known.color_probs = fusion.color();
    known.type_probs = fusion.type();
    known.keypoints = best.keypoints;
    if (const auto color = core::most_probable(known.color_probs, labels.colors))
        std::tie(known.color, known.color_probability) = *color;
    if (const auto type = core::most_probable(known.type_probs, labels.types))
        std::tie(known.type, known.type_probability) = *type;
    known.embedding_space = labels.embedding_space;
    known.bundle = labels.bundle;
    return known;
}

core::Conclusion concluded(const core::Closed& track, const Best& best) {
    core::Conclusion conclusion;
    conclusion.track_id = track.id;
    conclusion.first_s = track.first_s;
    conclusion.last_s = track.last_s;
    conclusion.seen = track.seen;
    conclusion.embedded = static_cast<std::uint64_t>(track.embedded);
    conclusion.good = track.fusion.good();
    conclusion.failings = core::failing_words(best.failings);
    conclusion.rectangle = best.rectangle;
    conclusion.quality = best.quality;
    conclusion.keypoints = core::keypoints_in_frame(best.keypoints, best.rectangle);
    conclusion.embedding = track.fusion.embedding();
    conclusion.color = track.fusion.color();
    conclusion.type = track.fusion.type();
    return conclusion;
}

}  // namespace pamtri::gst
