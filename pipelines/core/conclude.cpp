// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "conclude.hpp"

#include <array>
#include <charconv>
#include <cstddef>

#include "most_probable.hpp"

namespace pamtri::core {

namespace {

using Digits = EventDigits;
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

/// The place of the most probable name; none where there are no names for these.
std::optional<std::size_t> best_of(const std::vector<float>& probabilities, const Names& names) {
    if (!names || probabilities.empty() || names->size() != probabilities.size()) return {};
    return place_of_most_probable(probabilities);
}

std::optional<Attribute> attribute(const std::vector<float>& probabilities, const Names& names) {
    const auto best = best_of(probabilities, names);
    if (!best) return {};
    Attribute found;
    for (std::size_t i = 0; i < probabilities.size(); ++i)
        found.all.emplace_back((*names)[i], rounded(probabilities[i], Digits::kProbability));
    found.label = found.all[*best].first;
    found.probability = found.all[*best].second;
    return found;
}

}  // namespace

std::optional<std::pair<std::string, double>> most_probable(const std::vector<float>& probabilities,
                                                            const Names& names) {
    const auto best = best_of(probabilities, names);
    if (!best) return {};
    return std::pair<std::string, double>((*names)[*best], probabilities[*best]);
}

std::vector<float> keypoints_in_frame(const std::vector<float>& keypoints, const Rectangle& r) {
    // In the precision in which arrays of them are mapped in Python.
    const auto left = static_cast<float>(r.x1), top = static_cast<float>(r.y1);
    const auto wide = static_cast<float>(r.x2 - r.x1), high = static_cast<float>(r.y2 - r.y1);
    std::vector<float> mapped = keypoints;
    for (std::size_t i = 0; i + 2 < mapped.size(); i += 3) {
        mapped[i] = mapped[i] * wide + left;
        mapped[i + 1] = mapped[i + 1] * high + top;
    }
    return mapped;
}

Event make_event(const Conclusion& track, const Labels& labels, const std::string& camera,
                 std::optional<Moment> start) {
    Event event;
    event.camera = camera;
    event.track_id = track.track_id;
    event.start_s = rounded(track.first_s, Digits::kTime);
    event.end_s = rounded(track.last_s, Digits::kTime);
    event.start_utc = utc_text(start, track.first_s);
    event.end_utc = utc_text(start, track.last_s);
    event.seen = track.seen;
    event.embedded = track.embedded;
    event.below_gate = !track.good;
    if (event.below_gate) event.below_gate_reason = track.failings;
    const Rectangle& r = track.rectangle;
    event.box = {static_cast<double>(r.x1), static_cast<double>(r.y1), static_cast<double>(r.x2),
                 static_cast<double>(r.y2)};
    event.color = attribute(track.color, labels.colors);
    event.type = attribute(track.type, labels.types);
    for (const float value : track.embedding)
        event.embedding.push_back(rounded(value, Digits::kEmbedding));
    if (!track.keypoints.empty()) event.keypoints.emplace();
    for (std::size_t i = 0; i + 2 < track.keypoints.size(); i += 3)
        event.keypoints->push_back({rounded(track.keypoints[i], Digits::kPlace),
                                    rounded(track.keypoints[i + 1], Digits::kPlace),
                                    rounded(track.keypoints[i + 2], Digits::kConfidence)});
    if (track.quality) event.quality = rounded(*track.quality, Digits::kQuality);
    event.embedding_space = labels.embedding_space;
    event.bundle = labels.bundle;
    return event;
}

}  // namespace pamtri::core
