// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include <nanobind/stl/array.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <cstdint>
#include <tuple>

#include "bindings.hpp"
#include "overlay.hpp"
#include "vehicle_model.hpp"

namespace pamtri::core {

using namespace nb::literals;

namespace {

using Color = std::tuple<int, int, int>;
using Frame = std::pair<std::int32_t, std::int32_t>;  // width, height
using MaybeTold = std::optional<std::pair<std::string, double>>;
using Sides = std::array<double, 4>;
using Whole = std::array<std::int32_t, 4>;
using WholeSides = std::tuple<std::int32_t, std::int32_t, std::int32_t, std::int32_t>;
using Extent = std::array<int, 3>;
using Place = std::pair<int, int>;
using Keypoints = nb::ndarray<const float, nb::shape<-1, 3>, nb::c_contig, nb::device::cpu>;

Color color_of(const OverlayColor& color) { return {color.red, color.green, color.blue}; }

FrameSize size_of(const Frame& frame) { return {frame.first, frame.second}; }

std::optional<Told> told_of(const MaybeTold& told) {
    if (!told) return std::nullopt;
    return Told{told->first, told->second};
}

Place place_of(const TextPlace& place) { return {place.x, place.y}; }

TextSize text_of(const Extent& text) { return {text[0], text[1], text[2]}; }

nb::tuple segments() {
    nb::list all;
    for (const SegmentFacts& segment : kSegments) {
        const std::array<int, 4>& k = segment.corners;
        all.append(nb::make_tuple(segment.name, nb::make_tuple(k[0], k[1], k[2], k[3])));
    }
    return nb::tuple(all);
}

}  // namespace

void bind_overlay(nb::module_& m) {
    m.attr("SEGMENTS") = segments();
    m.attr("SEGMENT_CONFIDENCE") = kSegmentConfidence;
    m.attr("OVERLAY_DARK") = nb::cast(color_of(kOverlayDark));
    m.def("track_color", [](std::uint64_t id) { return color_of(track_color(id)); }, "track_id"_a);
    m.def("segment_color", [](int index) { return color_of(segment_color(index)); }, "index"_a);
    m.def(
        "keypoint_color",
        [](std::size_t index, std::size_t count) { return color_of(keypoint_color(index, count)); },
        "index"_a, "count"_a);
    m.def(
        "overlay_label",
        [](std::uint64_t id, const MaybeTold& color, const MaybeTold& type) {
            return overlay_label(id, told_of(color), told_of(type));
        },
        "track_id"_a, "color"_a.none(), "kind"_a.none());
    m.def(
        "overlay_line_width", [](const Frame& frame) { return overlay_line_width(size_of(frame)); },
        "frame"_a);
    m.def(
        "overlay_text_height",
        [](const Frame& frame) { return overlay_text_height(size_of(frame)); }, "frame"_a);
    m.def("overlay_keypoint_radius", &overlay_keypoint_radius, "line_width"_a);
    m.def(
        "overlay_box",
        [](const Sides& box, const Frame& frame) -> std::optional<WholeSides> {
            const auto whole = overlay_box({box[0], box[1], box[2], box[3]}, size_of(frame));
            if (!whole) return std::nullopt;
            return WholeSides{whole->x1, whole->y1, whole->x2, whole->y2};
        },
        "box"_a, "frame"_a);
    m.def(
        "overlay_text_place",
        [](const Place& wanted, const Extent& text, const Frame& frame) {
            return place_of(
                overlay_text_place({wanted.first, wanted.second}, text_of(text), size_of(frame)));
        },
        "wanted"_a, "text"_a, "frame"_a);
    m.def(
        "overlay_label_place",
        [](const Whole& box, const Extent& text, const Frame& frame) {
            return place_of(overlay_label_place({box[0], box[1], box[2], box[3]}, text_of(text),
                                                size_of(frame)));
        },
        "box"_a, "text"_a, "frame"_a);
    m.def(
        "overlay_pose",
        [](const Keypoints& keypoints, const Frame& frame) {
            const std::vector<float> rows(keypoints.data(),
                                          keypoints.data() + 3 * keypoints.shape(0));
            const OverlayPose pose = overlay_pose(rows, size_of(frame));
            return std::pair(pose.shown, pose.segments);
        },
        "keypoints"_a, "frame"_a);
}

}  // namespace pamtri::core
