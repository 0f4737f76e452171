// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The element pamtridraw under GStreamer's harness.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "draw_canvas.hpp"
#include "draw_text.hpp"
#include "harness.hpp"
#include "overlay.hpp"
#include "video_frame.hpp"

using namespace test;
using pamtri::core::Box;
using pamtri::core::OverlayColor;
using pamtri::gst::Picture;
using pamtri::gst::Vehicle;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
const std::vector<std::string> kFormats = {"RGB",  "BGR",  "NV12", "I420", "RGBx",
                                           "BGRx", "RGBA", "BGRA", "NV21", "YV12"};

std::string caps_of(const std::string& format, int width = 320, int height = 240) {
    return "video/x-raw,format=" + format + ",width=" + std::to_string(width) +
           ",height=" + std::to_string(height) + ",framerate=25/1,colorimetry=bt709";
}

/// A vehicle of which no more than its box is known.
Vehicle boxed(guint64 id = 3, Box box = {40, 60, 140, 160}) { return {id, box, "car", nullptr}; }

/// A vehicle whose left doors, a square in the middle of its box, are seen.
Vehicle posed(float x_of_first = 0.25f) {
    auto known = std::make_shared<pamtri::gst::Known>();
    known->passed = true;
    known->color = "red";
    known->color_probability = 0.93;
    known->keypoints.assign(3 * 36, 0.0f);
    const float places[4][2] = {
        {x_of_first, 0.25f}, {0.75f, 0.25f}, {0.75f, 0.75f}, {0.25f, 0.75f}};
    const int corners[4] = {5, 6, 12, 15};
    for (int i = 0; i < 4; ++i) {
        float* keypoint = &known->keypoints[static_cast<std::size_t>(3 * corners[i])];
        keypoint[0] = places[i][0];
        keypoint[1] = places[i][1];
        keypoint[2] = 0.9f;
    }
    Vehicle vehicle = boxed();
    vehicle.known = known;
    return vehicle;
}

/// The whole frame as RGB.
Picture picture_of(GstBuffer* buffer, const std::string& caps) {
    GstCaps* parsed = gst_caps_from_string(caps.c_str());
    GstVideoInfo info;
    EXPECT(gst_video_info_from_caps(&info, parsed));
    gst_caps_unref(parsed);
    GstVideoFrame frame;
    EXPECT(gst_video_frame_map(&frame, &info, buffer, GST_MAP_READ));
    const pamtri::gst::FramePixels pixels = pamtri::gst::pixels_of(frame);
    Picture picture = pamtri::gst::cut(pixels, {0, 0, pixels.size.width, pixels.size.height});
    gst_video_frame_unmap(&frame);
    return picture;
}

const guint8* pixel(const Picture& picture, int x, int y) {
    return picture.rgb.data() + 3 * static_cast<std::size_t>(y * picture.width + x);
}

bool is_near(const guint8* pixel, const OverlayColor& color, int most = 6) {
    return std::abs(pixel[0] - color.red) <= most && std::abs(pixel[1] - color.green) <= most &&
           std::abs(pixel[2] - color.blue) <= most;
}

/// How many pixels of a region differ between two pictures.
int changed(const Picture& a, const Picture& b, int x1 = 0, int y1 = 0, int x2 = 100000,
            int y2 = 100000) {
    int count = 0;
    for (int y = y1; y < std::min(y2, a.height); ++y)
        for (int x = x1; x < std::min(x2, a.width); ++x)
            count += !std::equal(pixel(a, x, y), pixel(a, x, y) + 3, pixel(b, x, y));
    return count;
}

Picture drawn(const std::string& launch, const std::vector<Vehicle>& vehicles,
              const std::string& caps) {
    const Harness line = harness(launch, caps);
    Buffer buffer = frame(caps);
    for (const Vehicle& vehicle : vehicles) pamtri::gst::add_vehicle(buffer.get(), vehicle);
    return picture_of(through(line.get(), std::move(buffer)).get(), caps);
}

Picture plain(const std::string& caps) { return picture_of(frame(caps).get(), caps); }

}  // namespace

TEST(a_frame_without_vehicles_passes_as_the_same_buffer_though_others_hold_it) {
    const Harness line = harness("pamtridraw", kRgb);
    Buffer buffer = frame(kRgb);
    GstBuffer* const held = gst_buffer_ref(buffer.get());
    const Buffer out = through(line.get(), std::move(buffer));
    EXPECT(out.get() == held);
    gst_buffer_unref(held);
}

TEST(a_frame_that_others_hold_is_copied_before_it_is_drawn_into) {
    const Harness line = harness("pamtridraw", kRgb);
    Buffer buffer = frame(kRgb);
    pamtri::gst::add_vehicle(buffer.get(), boxed());
    const Buffer held(gst_buffer_ref(buffer.get()));
    const Buffer out = through(line.get(), std::move(buffer));
    EXPECT(out != held);
    EXPECT(changed(picture_of(held.get(), kRgb), plain(kRgb)) == 0);
    EXPECT(changed(picture_of(out.get(), kRgb), plain(kRgb)) > 300);
    EXPECT(vehicles(out.get()).size() == 1);  // it is told to who comes after, too
}

TEST(a_frame_that_nobody_else_holds_is_drawn_into_in_place) {
    const Harness line = harness("pamtridraw", kRgb);
    Buffer buffer = frame(kRgb);
    pamtri::gst::add_vehicle(buffer.get(), boxed());
    const GstBuffer* const given = buffer.get();
    EXPECT(through(line.get(), std::move(buffer)).get() == given);
}

TEST(the_box_has_the_color_of_its_track_in_each_format) {
    for (const std::string& format : kFormats) {
        const std::string caps = caps_of(format);
        const Picture picture = drawn("pamtridraw line-width=8 show=boxes", {boxed()}, caps);
        const OverlayColor color = pamtri::core::track_color(3);
        for (const auto& [x, y] : {std::pair{90, 60}, {90, 160}, {40, 110}, {140, 110}})
            EXPECT(is_near(pixel(picture, x, y), color));
        const Picture before = plain(caps);
        EXPECT(changed(before, picture, 50, 70, 130, 150) == 0);  // inside
        EXPECT(changed(before, picture, 150) == 0 && changed(before, picture, 0, 170) == 0);
    }
}

TEST(colors_are_those_of_the_conversion_that_reads_them) {
    for (const pamtri::Conversion conversion :
         {pamtri::kBt601, pamtri::kBt709, pamtri::kBt601Full, pamtri::kBt709Full, pamtri::kBt2020,
          pamtri::kBt2020Full}) {
        const pamtri::ConversionRule rule = pamtri::conversion_rule(conversion);
        for (guint64 track = 0; track < 40; ++track) {
            const OverlayColor color = pamtri::core::track_color(track);
            const pamtri::Rgb yuv = pamtri::gst::yuv_of(color, rule);
            const pamtri::Rgb read = pamtri::converted(yuv.red, yuv.green, yuv.blue, rule);
            EXPECT(std::abs(read.red - color.red) <= 3 && std::abs(read.green - color.green) <= 3 &&
                   std::abs(read.blue - color.blue) <= 3);
        }
    }
}

TEST(show_chooses_what_is_drawn) {
    const Picture before = plain(kRgb);
    const auto drawn_by = [&before](const std::string& show) {
        return drawn("pamtridraw line-width=2 show=" + show, {posed()}, kRgb);
    };
    EXPECT(changed(before, drawn_by("0")) == 0);
    const Picture boxes = drawn_by("boxes"), labels = drawn_by("labels");
    EXPECT(changed(before, boxes) > 300 && changed(before, boxes, 50, 70, 130, 150) == 0);
    EXPECT(changed(before, labels, 0, 60) == 0 && changed(before, labels, 0, 0, 320, 60) > 300);
    const Picture keypoints = drawn_by("keypoints"), segments = drawn_by("segments");
    // The square of the left doors: corners at 65, 85 and 115, 135.
    EXPECT(is_near(pixel(keypoints, 65, 85), pamtri::core::keypoint_color(5, 36), 1));
    EXPECT(changed(before, keypoints, 75, 0, 105) == 0);
    EXPECT(is_near(pixel(segments, 90, 85), pamtri::core::segment_color(1), 1));
    EXPECT(changed(before, segments, 70, 90, 110, 130) == 0);
    const Picture all = drawn("pamtridraw line-width=2", {posed()}, kRgb);
    EXPECT(changed(boxes, all) > 0 && changed(labels, all) > 0);
}

TEST(boxes_outside_empty_or_no_numbers_harm_nothing_at_odd_sizes) {
    const double huge = std::numeric_limits<double>::max();
    for (const std::string format : {"RGB", "BGRx", "NV12", "YV12"})
        for (const auto& [width, height] : {std::pair{101, 77}, {1, 1}, {2, 3}}) {
            const std::string caps = caps_of(format, width, height);
            const Picture before = plain(caps);
            for (const Box& box : {Box{kNan, 0, 10, 10}, Box{0, 0, HUGE_VAL, 10}})
                EXPECT(changed(before, drawn("pamtridraw", {boxed(1, box)}, caps)) == 0);
            for (const Box& box :
                 {Box{-90, -90, -10, -10}, Box{400, 0, 500, 90}, Box{50, 50, 50, 50},
                  Box{90, 60, 10, 20}, Box{-huge, -huge, huge, huge}, Box{0, 0, 101, 77},
                  Box{99.6, 75.5, 101, 77}, Box{-3, -3, 1, 1}}) {
                Vehicle vehicle = posed();
                vehicle.box = box;
                for (const char* launch :
                     {"pamtridraw", "pamtridraw line-width=100 text-height=500"})
                    drawn(launch, {vehicle}, caps);
            }
            const Box outside{-90, -90, -10, -10};
            EXPECT(changed(before, drawn("pamtridraw show=boxes", {boxed(1, outside)}, caps)) == 0);
        }
}

TEST(the_last_column_and_row_of_an_odd_frame_are_drawn) {
    for (const std::string& format : kFormats) {
        const std::string caps = caps_of(format, 101, 77);
        const Picture picture =
            drawn("pamtridraw show=boxes line-width=9", {boxed(3, {20, 20, 100, 76})}, caps);
        EXPECT(is_near(pixel(picture, 100, 50), pamtri::core::track_color(3)));
        EXPECT(is_near(pixel(picture, 60, 76), pamtri::core::track_color(3)));
    }
}

TEST(keypoints_that_are_no_numbers_are_left_out_with_their_segments) {
    const Picture before = plain(kRgb);
    for (const float place : {std::nanf(""), HUGE_VALF, -HUGE_VALF, 1e30f}) {
        const Picture picture = drawn("pamtridraw show=keypoints+segments", {posed(place)}, kRgb);
        EXPECT(changed(before, picture, 70, 80, 110, 90) == 0);  // the edge from the first corner
        EXPECT(changed(before, picture, 110, 80, 120, 90) > 0);  // the second corner
    }
}

TEST(another_set_of_keypoints_is_drawn_without_segments) {
    auto known = std::make_shared<pamtri::gst::Known>();
    known->keypoints = {0.5f, 0.5f, 0.9f, 0.6f};  // and a piece of one
    Vehicle vehicle = boxed();
    vehicle.known = known;
    const Picture picture = drawn("pamtridraw show=keypoints+segments", {vehicle}, kRgb);
    EXPECT(is_near(pixel(picture, 90, 110), pamtri::core::keypoint_color(1, 1)));
}

TEST(a_stream_that_changes_its_form_is_drawn_in_the_new_one) {
    const Harness line = harness("pamtridraw show=boxes line-width=8", caps_of("RGB"));
    for (const std::string& caps :
         {caps_of("RGB"), caps_of("NV12", 640, 480), caps_of("I420", 161, 121), caps_of("BGRx")}) {
        gst_harness_set_src_caps_str(line.get(), caps.c_str());
        Buffer buffer = frame(caps);
        pamtri::gst::add_vehicle(buffer.get(), boxed(5, {20, 20, 120, 100}));
        const Picture picture = picture_of(through(line.get(), std::move(buffer)).get(), caps);
        EXPECT(is_near(pixel(picture, 70, 20), pamtri::core::track_color(5)));
        EXPECT(is_near(pixel(picture, 120, 60), pamtri::core::track_color(5)));
    }
}

TEST(frames_with_and_without_vehicles_take_turns) {
    const Harness line = harness("pamtridraw", kRgb);
    for (int i = 0; i < 6; ++i) {
        Buffer buffer = frame(kRgb, 40 * i);
        if (i % 2) pamtri::gst::add_vehicle(buffer.get(), boxed());
        const Picture picture = picture_of(through(line.get(), std::move(buffer)).get(), kRgb);
        EXPECT((changed(plain(kRgb), picture) > 0) == (i % 2 == 1));
    }
}

TEST(what_is_shown_can_change_while_it_plays) {
    const Harness line = harness("pamtridraw", kRgb);
    GstElement* element = gst_harness_find_element(line.get(), "pamtridraw");
    for (const guint show : {15u, 0u, 1u}) {
        g_object_set(element, "show", show, nullptr);
        Buffer buffer = frame(kRgb);
        pamtri::gst::add_vehicle(buffer.get(), boxed());
        const Picture picture = picture_of(through(line.get(), std::move(buffer)).get(), kRgb);
        EXPECT((changed(plain(kRgb), picture) > 0) == (show != 0));
    }
    gst_object_unref(element);
}

TEST(a_frame_smaller_than_its_caps_say_stops_the_pipeline) {
    const Harness line = harness("pamtridraw", kRgb);
    Buffer buffer(gst_buffer_new_allocate(nullptr, 100, nullptr));
    pamtri::gst::add_vehicle(buffer.get(), boxed());
    EXPECT(gst_harness_push(line.get(), buffer.release()) == GST_FLOW_ERROR);
}

TEST(text_is_as_wide_as_it_says_whatever_its_letters) {
    const pamtri::core::FrameSize size{900, 120};
    std::string all;
    for (char letter = ' '; letter <= '~'; ++letter) all += letter;
    for (const std::string& text :
         {all.substr(0, 32), all.substr(32, 32), all.substr(64),
          std::string("\xC3\xA9\xE8\xBB\x8A\xF0\x9F\x9A\x97 \xFF\x80"), std::string("\t\n")})
        for (const double height : {8.0, 13.7, 24.0}) {
            const pamtri::core::TextSize extent = pamtri::gst::text_size(text, height);
            pamtri::gst::Mask mask({0, 0, size.width, size.height}, size);
            pamtri::gst::add_text(&mask, text, {10, 60}, height);
            int covered = 0, outside = 0;
            for (int y = 0; y < size.height; ++y)
                for (int x = 0; x < size.width; ++x) {
                    const bool inside = x >= 10 && x < 10 + extent.width &&
                                        y >= 60 - extent.above && y <= 60 + extent.below;
                    (inside ? covered : outside) += mask.row(y)[x] > 0;
                }
            EXPECT(covered > 0 && outside == 0);
        }
    // One box for each character that is no ASCII, however many bytes it has.
    EXPECT(pamtri::gst::text_size("\xE8\xBB\x8A", 12).width ==
           pamtri::gst::text_size("a", 12).width);
}
