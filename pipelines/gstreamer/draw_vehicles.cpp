// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "draw_vehicles.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "draw_text.hpp"
#include "vehicle_model.hpp"

namespace pamtri::gst {

namespace {

using core::Rectangle;

/// The frame's sizes and what is asked for.
struct Style {
    guint show;
    int line_width;
    double text_height;
};

Style style_of(const DrawSpec& spec, core::FrameSize frame) {
    Style style{spec.show, static_cast<int>(spec.line_width), double(spec.text_height)};
    if (spec.line_width == 0) style.line_width = core::overlay_line_width(frame);
    if (spec.text_height == 0) style.text_height = core::overlay_text_height(frame);
    return style;
}

void draw_box(Canvas* canvas, const Rectangle& given, const core::OverlayColor& color, int width) {
    const Rectangle box{std::min(given.x1, given.x2), std::min(given.y1, given.y2),
                        std::max(given.x1, given.x2), std::max(given.y1, given.y2)};
    // The line lies over the box's edge: of an even width the larger part is inside.
    const int out = (width - 1) / 2, in = width - out;
    const Rectangle around{box.x1 - out, box.y1 - out, box.x2 + out + 1, box.y2 + out + 1};
    const Rectangle sides[] = {
        {around.x1, around.y1, around.x2, box.y1 + in},
        {around.x1, box.y2 + 1 - in, around.x2, around.y2},
        {around.x1, around.y1, box.x1 + in, around.y2},
        {box.x2 + 1 - in, around.y1, around.x2, around.y2},
    };
    for (const Rectangle& side : sides) {
        Mask mask(side, canvas->size());
        mask.add_rectangle(side);
        canvas->paint(mask, color);
    }
}

/// Keypoints in frame pixels: they are told in parts of the box.
std::vector<float> keypoints_in(const core::Box& box, const std::vector<float>& parts) {
    std::vector<float> keypoints = parts;
    for (std::size_t i = 0; i + 2 < keypoints.size(); i += 3) {
        keypoints[i] = static_cast<float>(box.x1 + parts[i] * (box.x2 - box.x1));
        keypoints[i + 1] = static_cast<float>(box.y1 + parts[i + 1] * (box.y2 - box.y1));
    }
    return keypoints;
}

/// What a mask of points must reach, with a margin around them.
Rectangle bounds_of(const std::vector<Point>& points, double margin) {
    double low_x = std::numeric_limits<double>::max(), low_y = low_x, high_x = -low_x,
           high_y = -low_x;
    for (const Point& point : points) {
        low_x = std::min(low_x, point.x);
        low_y = std::min(low_y, point.y);
        high_x = std::max(high_x, point.x);
        high_y = std::max(high_y, point.y);
    }
    const auto whole = [](double value) { return static_cast<std::int32_t>(value); };
    return {whole(std::floor(low_x - margin)), whole(std::floor(low_y - margin)),
            whole(std::ceil(high_x + margin)) + 1, whole(std::ceil(high_y + margin)) + 1};
}

void draw_pose(Canvas* canvas, const Vehicle& vehicle, const Style& style) {
    const std::vector<float> keypoints = keypoints_in(vehicle.box, vehicle.known->keypoints);
    const core::OverlayPose pose = core::overlay_pose(keypoints, canvas->size());
    const auto point = [&keypoints](std::size_t k) {
        return Point{keypoints[3 * k], keypoints[3 * k + 1]};
    };
    const double thin = std::max(1, style.line_width / 2);
    for (const int index : style.show& kShowSegments ? pose.segments : std::vector<int>{}) {
        std::vector<Point> corners;
        for (const int k : core::kSegments[static_cast<std::size_t>(index)].corners)
            corners.push_back(point(static_cast<std::size_t>(k)));
        Mask mask(bounds_of(corners, thin + 1), canvas->size());
        for (std::size_t i = 0; i < corners.size(); ++i)
            mask.add_line(corners[i], corners[(i + 1) % corners.size()], thin);
        canvas->paint(mask, core::segment_color(index));
    }
    if (!(style.show & kShowKeypoints)) return;
    const int radius = core::overlay_keypoint_radius(style.line_width);
    for (std::size_t k = 0; k < pose.shown.size(); ++k) {
        if (!pose.shown[k] || !(keypoints[3 * k + 2] >= core::kSegmentConfidence)) continue;
        Mask mask(bounds_of({point(k)}, radius + 1), canvas->size());
        mask.add_disc(point(k), radius + 0.5);
        canvas->paint(mask, core::keypoint_color(k, pose.shown.size()));
    }
}

std::optional<core::Told> told_of(const std::string& label, double probability) {
    if (label.empty()) return std::nullopt;
    return core::Told{label, probability};
}

std::string label_of(const Vehicle& vehicle) {
    if (!vehicle.known) return core::overlay_label(vehicle.track_id, {}, {});
    const Known& known = *vehicle.known;
    return core::overlay_label(vehicle.track_id, told_of(known.color, known.color_probability),
                               told_of(known.type, known.type_probability));
}

void draw_label(Canvas* canvas, const Vehicle& vehicle, const Rectangle& box, double height) {
    const std::string text = label_of(vehicle);
    if (text.empty()) return;
    const core::TextSize size = text_size(text, height);
    const core::TextPlace place = core::overlay_label_place(box, size, canvas->size());
    const Rectangle ground{place.x, place.y - size.above - 1, place.x + size.width + 2,
                           place.y + size.below + 1};
    Mask mask(ground, canvas->size());
    mask.add_rectangle(ground);
    canvas->paint(mask, core::track_color(vehicle.track_id));
    Mask letters(ground, canvas->size());
    add_text(&letters, text, {place.x + 1, place.y}, height);
    canvas->paint(letters, core::kOverlayDark);
}

}  // namespace

void draw(Canvas* canvas, const std::vector<const Vehicle*>& vehicles, const DrawSpec& spec) {
    const Style style = style_of(spec, canvas->size());
    for (const Vehicle* vehicle : vehicles) {
        const std::optional<Rectangle> box = core::overlay_box(vehicle->box, canvas->size());
        if (!box) continue;
        if (vehicle->known) draw_pose(canvas, *vehicle, style);
        if (style.show & kShowBoxes)
            draw_box(canvas, *box, core::track_color(vehicle->track_id), style.line_width);
    }
    for (const Vehicle* vehicle :
         style.show& kShowLabels ? vehicles : std::vector<const Vehicle*>{})
        if (const auto box = core::overlay_box(vehicle->box, canvas->size()))
            draw_label(canvas, *vehicle, *box, style.text_height);
}

}  // namespace pamtri::gst
