// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What is drawn of vehicles into a frame: colors, label, sizes, places, which parts of the pose.
// Whoever owns the pixels draws it: pamtri_edge.video.draw, the element pamtridraw.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crop_rules.hpp"

namespace pamtri::core {

struct OverlayColor {
    std::uint8_t red = 0, green = 0, blue = 0;
};

constexpr OverlayColor kOverlayDark{24, 24, 24};

/// A bright color for a track; neighboring numbers get colors far apart. Light gray for the
/// untracked, which have no color of their own.
OverlayColor track_color(std::uint64_t track_id);

/// The color of a segment, one of 13 around the color circle.
OverlayColor segment_color(int index);

/// The color of a keypoint out of so many: the first half is the vehicle's left side.
OverlayColor keypoint_color(std::size_t index, std::size_t count);

/// A label and how probable it is.
struct Told {
    std::string label;
    double probability = 0;
};

/// A vehicle's label: its number and, once known, color and type, such as
/// "#12 red 93% sedan 87%". Of a number of more than five digits the last four are shown; the
/// untracked have none.
std::string overlay_label(std::uint64_t track_id, const std::optional<Told>& color,
                          const std::optional<Told>& type);

/// Pixels that lines are wide.
int overlay_line_width(FrameSize frame);

/// Pixels that capital letters are high.
double overlay_text_height(FrameSize frame);

/// Radius of a keypoint's disc, in pixels.
int overlay_keypoint_radius(int line_width);

/// A box in whole pixels, its far sides moved near the frame; none for one that is not finite.
/// Sides may lie outside the frame, and a box may be empty.
std::optional<Rectangle> overlay_box(const Box& box, FrameSize frame);

/// A text's extent in pixels: above and below its baseline.
struct TextSize {
    int width = 0, above = 0, below = 0;
};

/// Where a line of text starts: its left end, on the baseline.
struct TextPlace {
    int x = 0, y = 0;
};

/// The place moved so that the text, with a pixel of ground around it, is inside the frame.
TextPlace overlay_text_place(TextPlace wanted, const TextSize& text, FrameSize frame);

/// The place of a box's label: above it, or below it where there is no room, inside the frame.
TextPlace overlay_label_place(const Rectangle& box, const TextSize& text, FrameSize frame);

/// What can be drawn of a pose.
struct OverlayPose {
    std::vector<bool> shown;    ///< keypoints: with a peak at all, and not far off the frame
    std::vector<int> segments;  ///< all four keypoints shown and sure, the outline convex
};

/// @param keypoints rows of x, y, confidence; x and y in frame pixels
OverlayPose overlay_pose(const std::vector<float>& keypoints, FrameSize frame);

}  // namespace pamtri::core
