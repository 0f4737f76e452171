// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "overlay.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "pamtri/segments.hpp"
#include "tracks.hpp"
#include "vehicle_model.hpp"

namespace pamtri::core {

namespace {

constexpr OverlayColor kLeft{80, 200, 255}, kRight{255, 150, 60}, kNobody{214, 214, 214};
constexpr std::uint64_t kLongestId = 99999;  // DeepStream's ids fill 64 bits: the last digits do
constexpr double kGoldenRatio = 0.61803398875;

/// A color of full brightness: hue and saturation from 0 to 1.
OverlayColor bright(double hue, double saturation) {
    const int sector = static_cast<int>(hue * 6);
    const double rest = hue * 6 - sector;
    const auto byte = [](double value) { return static_cast<std::uint8_t>(255 * value); };
    const std::uint8_t low = byte(1 - saturation);
    const std::uint8_t falling = byte(1 - saturation * rest);
    const std::uint8_t rising = byte(1 - saturation * (1 - rest));
    switch (sector % 6) {
        case 0:
            return {255, rising, low};
        case 1:
            return {falling, 255, low};
        case 2:
            return {low, 255, rising};
        case 3:
            return {low, falling, 255};
        case 4:
            return {rising, low, 255};
        default:
            return {255, low, falling};
    }
}

double shorter_side(FrameSize frame) { return std::min(frame.width, frame.height); }

double reach(FrameSize frame) { return 4.0 * std::max(frame.width, frame.height); }

void append(std::string* text, const std::optional<Told>& told) {
    if (!told || told->label.empty()) return;
    if (!text->empty()) *text += ' ';
    *text += told->label;
    const double percent = std::nearbyint(100 * told->probability);
    if (percent >= 0 && percent <= 100)  // false for NaN
        *text += ' ' + std::to_string(static_cast<int>(percent)) + '%';
}

}  // namespace

OverlayColor track_color(std::uint64_t track_id) {
    if (track_id == kUntracked) return kNobody;
    return bright(std::fmod(static_cast<double>(track_id) * kGoldenRatio, 1.0), 0.75);
}

OverlayColor segment_color(int index) {
    return bright(index / static_cast<double>(kSegments.size()), 0.65);
}

OverlayColor keypoint_color(std::size_t index, std::size_t count) {
    return index < count / 2 ? kLeft : kRight;
}

std::string overlay_label(std::uint64_t track_id, const std::optional<Told>& color,
                          const std::optional<Told>& type) {
    std::string text;
    if (track_id <= kLongestId) {
        text = "#" + std::to_string(track_id);
    } else if (track_id != kUntracked) {
        char digits[8];
        std::snprintf(digits, sizeof digits, "%04u", static_cast<unsigned>(track_id % 10000));
        text = std::string("#..") + digits;
    }
    append(&text, color);
    append(&text, type);
    return text;
}

int overlay_line_width(FrameSize frame) {
    return std::max(1, static_cast<int>(std::nearbyint(shorter_side(frame) / 400)));
}

double overlay_text_height(FrameSize frame) { return std::max(8.0, 0.021 * shorter_side(frame)); }

int overlay_keypoint_radius(int line_width) {
    return std::max(1, static_cast<int>(std::nearbyint(line_width * 0.75)));
}

std::optional<Rectangle> overlay_box(const Box& box, FrameSize frame) {
    const double limit = reach(frame);
    const auto whole = [limit](double side) {
        return static_cast<std::int32_t>(std::nearbyint(std::clamp(side, -limit, limit)));
    };
    if (!std::isfinite(box.x1) || !std::isfinite(box.y1) || !std::isfinite(box.x2) ||
        !std::isfinite(box.y2))
        return std::nullopt;
    return Rectangle{whole(box.x1), whole(box.y1), whole(box.x2), whole(box.y2)};
}

TextPlace overlay_text_place(TextPlace wanted, const TextSize& text, FrameSize frame) {
    const int right = std::max(frame.width - text.width - 2, 0);
    const int top = text.above + 1;
    const int bottom = std::max(frame.height - text.below - 1, top);
    return {std::clamp(wanted.x, 0, right), std::clamp(wanted.y, top, bottom)};
}

TextPlace overlay_label_place(const Rectangle& box, const TextSize& text, FrameSize frame) {
    const bool fits_above = box.y1 - text.above - text.below - 4 >= 0;
    const int y = fits_above ? box.y1 - text.below - 2 : box.y2 + text.above + 3;
    return overlay_text_place({box.x1, y}, text, frame);
}

OverlayPose overlay_pose(const std::vector<float>& keypoints, FrameSize frame) {
    const auto limit = static_cast<float>(reach(frame));
    const std::size_t count = keypoints.size() / 3;
    OverlayPose pose;
    for (std::size_t k = 0; k < count; ++k) {
        const float *x = &keypoints[3 * k], *y = x + 1, *confidence = x + 2;
        pose.shown.push_back(*confidence > 0 && std::abs(*x) < limit && std::abs(*y) < limit);
    }
    if (count < kKeypoints) return pose;  // another set of keypoints has no such segments
    for (std::size_t i = 0; i < kSegments.size(); ++i) {
        const std::array<int, 4>& corners = kSegments[i].corners;
        const bool shown = std::all_of(corners.begin(), corners.end(), [&pose](int k) {
            return static_cast<bool>(pose.shown[static_cast<std::size_t>(k)]);
        });
        if (shown && quad_of(keypoints.data(), corners.data(), 1, kSegmentConfidence).drawn)
            pose.segments.push_back(static_cast<int>(i));
    }
    return pose;
}

}  // namespace pamtri::core
