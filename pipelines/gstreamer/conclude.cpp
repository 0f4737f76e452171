// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "conclude.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

namespace pamtri::gst {

namespace {

using Digits = core::EventDigits;
using Names = std::optional<std::vector<std::string>>;

/// As Python's round: the nearest number of so many decimals, decided on the exact value.
double rounded(double value, int digits) {
    std::array<char, 400> text;
    const auto written = std::to_chars(text.data(), text.data() + text.size(), value,
                                       std::chars_format::fixed, digits);
    double found = value;
    std::from_chars(text.data(), written.ptr, found);
    return found;
}

std::size_t most_probable(const std::vector<float>& probabilities) {
    return static_cast<std::size_t>(std::max_element(probabilities.begin(), probabilities.end()) -
                                    probabilities.begin());
}

bool are_told(const std::vector<float>& probabilities, const Names& names) {
    return names && !probabilities.empty() && names->size() == probabilities.size();
}

std::optional<core::Attribute> attribute(const std::vector<float>& probabilities,
                                         const Names& names) {
    if (!are_told(probabilities, names)) return std::nullopt;
    core::Attribute found;
    for (std::size_t i = 0; i < probabilities.size(); ++i)
        found.all.emplace_back((*names)[i], rounded(probabilities[i], Digits::kProbability));
    const std::size_t best = most_probable(probabilities);
    found.label = found.all[best].first;
    found.probability = found.all[best].second;
    return found;
}

/// Keypoints in frame pixels, in the precision in which Python maps them.
std::vector<core::Keypoint> in_frame(const Best& best) {
    const core::Rectangle& r = best.rectangle;
    const auto left = static_cast<float>(r.x1), top = static_cast<float>(r.y1);
    const auto wide = static_cast<float>(r.x2 - r.x1), high = static_cast<float>(r.y2 - r.y1);
    std::vector<core::Keypoint> keypoints;
    for (std::size_t i = 0; i + 2 < best.keypoints.size(); i += 3) {
        const float x = best.keypoints[i] * wide + left, y = best.keypoints[i + 1] * high + top;
        keypoints.push_back({rounded(x, Digits::kPlace), rounded(y, Digits::kPlace),
                             rounded(best.keypoints[i + 2], Digits::kConfidence)});
    }
    return keypoints;
}

}  // namespace

Known make_known(const core::Fusion& fusion, const Best& best, int views,
                 const engines::Manifest& manifest) {
    Known known;
    known.passed = fusion.good();
    known.views = views;
    known.quality = best.quality.value_or(-1);
    known.time_s = best.time_s;
    known.embedding = fusion.embedding();
    known.color_probs = fusion.color();
    known.type_probs = fusion.type();
    known.keypoints = best.keypoints;
    if (are_told(known.color_probs, manifest.colors)) {
        const std::size_t color = most_probable(known.color_probs);
        known.color = (*manifest.colors)[color];
        known.color_probability = known.color_probs[color];
    }
    if (are_told(known.type_probs, manifest.types)) {
        const std::size_t type = most_probable(known.type_probs);
        known.type = (*manifest.types)[type];
        known.type_probability = known.type_probs[type];
    }
    known.embedding_space = manifest.embedding_space;
    known.bundle = manifest.name;
    return known;
}

core::Event make_event(const core::Closed& track, const Best& best,
                       const engines::Manifest& manifest, const std::string& camera,
                       std::optional<core::Moment> start) {
    core::Event event;
    event.camera = camera;
    event.track_id = track.id;
    event.start_s = rounded(track.first_s, Digits::kTime);
    event.end_s = rounded(track.last_s, Digits::kTime);
    event.start_utc = core::utc_text(start, track.first_s);
    event.end_utc = core::utc_text(start, track.last_s);
    event.seen = track.seen;
    event.embedded = static_cast<std::uint64_t>(track.embedded);
    event.below_gate = !track.fusion.good();
    if (event.below_gate) event.below_gate_reason = core::failing_words(best.failings);
    const core::Rectangle& r = best.rectangle;
    event.box = {static_cast<double>(r.x1), static_cast<double>(r.y1), static_cast<double>(r.x2),
                 static_cast<double>(r.y2)};
    event.color = attribute(track.fusion.color(), manifest.colors);
    event.type = attribute(track.fusion.type(), manifest.types);
    for (const float value : track.fusion.embedding())
        event.embedding.push_back(rounded(value, Digits::kEmbedding));
    if (!best.keypoints.empty()) event.keypoints = in_frame(best);
    if (best.quality) event.quality = rounded(*best.quality, Digits::kQuality);
    event.embedding_space = manifest.embedding_space;
    event.bundle = manifest.name;
    return event;
}

}  // namespace pamtri::gst
