// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What is told of a track at its end, and what its colors and types are called.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crop_rules.hpp"
#include "event.hpp"
#include "utc.hpp"

namespace pamtri::core {

/// What a bundle calls its answers.
struct Labels {
    std::optional<std::vector<std::string>> colors, types;
    std::string embedding_space, bundle;
};

/// What a track came to; numbers as they were measured.
struct Conclusion {
    std::uint64_t track_id = 0;
    double first_s = 0, last_s = 0;
    std::uint64_t seen = 0, embedded = 0;
    bool good = false;                  ///< a view passed the gate
    std::vector<std::string> failings;  ///< of the best view, words of failing_words()
    Rectangle rectangle;                ///< of the best view
    std::optional<double> quality;      ///< likewise
    std::vector<float> keypoints;       ///< likewise; rows of x, y in frame pixels, confidence
    std::vector<float> embedding, color, type;  ///< of all that count; empty for what there is not
};

/// The most probable name and its probability; none where there are no names, or not one for each
/// probability.
std::optional<std::pair<std::string, double>> most_probable(
    const std::vector<float>& probabilities, const std::optional<std::vector<std::string>>& names);

/// Rows of x, y in parts of a rectangle and confidence, as rows in frame pixels.
std::vector<float> keypoints_in_frame(const std::vector<float>& keypoints,
                                      const Rectangle& rectangle);

/// The event of a track that is over, rounded to EventDigits; `start` is the moment of the stream's
/// first frame, where that is known.
Event make_event(const Conclusion& track, const Labels& labels, const std::string& camera,
                 std::optional<Moment> start);

}  // namespace pamtri::core
