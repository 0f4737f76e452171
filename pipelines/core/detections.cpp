// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "detections.hpp"

#include <algorithm>
#include <numeric>

#include "errors.hpp"

namespace pamtri::core {

namespace {

constexpr float kNoArea = 1e-9f;

/// The area of a box; negative where it is inside out, as its sides' product is.
float area(const float* box) { return (box[2] - box[0]) * (box[3] - box[1]); }

float overlap_of(const float* a, const float* b) {
    const float wide = std::max(std::min(a[2], b[2]) - std::max(a[0], b[0]), 0.0f);
    const float high = std::max(std::min(a[3], b[3]) - std::max(a[1], b[1]), 0.0f);
    const float common = wide * high;
    return common / std::max(area(a) + area(b) - common, kNoArea);
}

}  // namespace

Fit fit_of(const std::string& name) {
    if (name == "corner") return Fit::kCorner;
    if (name == "center") return Fit::kCenter;
    if (name == "stretch") return Fit::kStretch;
    throw InputError("fit is '" + name + "'; expected corner, center or stretch.");
}

Box FramePlace::in_frame(const Box& box, FrameSize frame) const {
    const auto across = [&](double x) {
        return std::clamp((x - filled.x1) / scale_x, 0.0, static_cast<double>(frame.width));
    };
    const auto down = [&](double y) {
        return std::clamp((y - filled.y1) / scale_y, 0.0, static_cast<double>(frame.height));
    };
    return {across(box.x1), down(box.y1), across(box.x2), down(box.y2)};
}

FramePlace place_frame(FrameSize frame, FrameSize picture, Fit fit) {
    const double across = static_cast<double>(picture.width) / frame.width;
    const double down = static_cast<double>(picture.height) / frame.height;
    if (fit == Fit::kStretch) return {{0, 0, picture.width, picture.height}, across, down};
    const double scale = std::min(across, down);
    const int wide = std::max(static_cast<int>(frame.width * scale), 1);
    const int high = std::max(static_cast<int>(frame.height * scale), 1);
    const bool middle = fit == Fit::kCenter;
    const int left = middle ? (picture.width - wide) / 2 : 0;
    const int top = middle ? (picture.height - high) / 2 : 0;
    return {{left, top, left + wide, top + high}, scale, scale};
}

std::vector<std::size_t> suppress(const std::vector<float>& boxes, const std::vector<float>& scores,
                                  float overlap) {
    std::vector<std::size_t> order(scores.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&scores](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
    std::vector<std::size_t> kept;
    for (const std::size_t candidate : order) {
        const bool stays = std::all_of(kept.begin(), kept.end(), [&](std::size_t surer) {
            return overlap_of(&boxes[4 * surer], &boxes[4 * candidate]) <= overlap;
        });
        if (stays) kept.push_back(candidate);
    }
    return kept;
}

}  // namespace pamtri::core
