// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The element pamtridetect under GStreamer's harness, on a network that finds what is red in a
// picture of 96x96; PAMTRI_TEST_DETECTOR names its file.
#include <cstdlib>
#include <string>
#include <thread>

#include "harness.hpp"
#include "regions.hpp"

using namespace test;
using pamtri::core::FrameSize;
using pamtri::gst::Region;

namespace {

constexpr char kSquare[] = "video/x-raw,format=RGB,width=96,height=96,framerate=25/1";
constexpr FrameSize kSquareSize{96, 96};

std::string element(const std::string& properties = "") {
    const char* detector = std::getenv("PAMTRI_TEST_DETECTOR");
    EXPECT(detector != nullptr);
    const std::string launch = std::string("pamtridetect name=d detector=") + detector + " ";
    // Elements share a network while one of them lives, and to compile it takes most of the time.
    static const Harness one = harness(launch, kSquare);
    return launch + properties;
}

/// A black frame of RGB with a red square from 32, 32 to 48, 48.
Buffer street(int time_ms = 0, int width = 96, int height = 96) {
    const std::string caps = "video/x-raw,format=RGB,width=" + std::to_string(width) +
                             ",height=" + std::to_string(height) + ",framerate=25/1";
    Buffer buffer = frame(caps, time_ms);
    GstMapInfo map;
    EXPECT(gst_buffer_map(buffer.get(), &map, GST_MAP_WRITE));
    for (gsize i = 0; i < map.size; ++i) map.data[i] = 0;
    for (int y = 32; y < 48; ++y)
        for (int x = 32; x < 48; ++x) map.data[3 * (y * width + x)] = 200;
    gst_buffer_unmap(buffer.get(), &map);
    return buffer;
}

std::vector<Region> regions(GstBuffer* buffer, FrameSize size = kSquareSize) {
    return pamtri::gst::regions_of(buffer, size, {});
}

std::size_t found_in(GstHarness* harness, int time_ms) {
    return regions(through(harness, street(time_ms)).get()).size();
}

void set(GstHarness* harness, const char* name, double value) {
    GstElement* found = gst_harness_find_element(harness, "pamtridetect");
    g_object_set(found, name, value, nullptr);
    gst_object_unref(found);
}

}  // namespace

TEST(a_region_of_the_detector_has_class_and_confidence_and_no_track) {
    const Harness line = harness(element(), kSquare);
    const Buffer out = through(line.get(), street());
    const std::vector<Region> found = regions(out.get());
    EXPECT(!found.empty());
    EXPECT(found[0].type == "car" && found[0].track_id == PAMTRI_UNTRACKED && found[0].roi == 0);
    EXPECT(found[0].box.x1 < 40 && found[0].box.x2 > 40 && found[0].box.y2 <= 96);
    auto* meta = gst_buffer_get_video_region_of_interest_meta(out.get());
    const GstStructure* told = gst_video_region_of_interest_meta_get_param(meta, "detection");
    double confidence = 0, left = 0;
    int label = 0;
    EXPECT(told &&
           gst_structure_get(told, "confidence", G_TYPE_DOUBLE, &confidence, "x_min", G_TYPE_DOUBLE,
                             &left, "label_id", G_TYPE_INT, &label, nullptr));
    EXPECT(confidence > 0.9 && confidence <= 1 && label == 2);
    EXPECT(left == found[0].box.x1 / 96);
    EXPECT(std::string(gst_structure_get_string(told, "label")) == "car");
}

TEST(a_tracker_behind_the_detector_names_the_track_and_may_move_the_box) {
    const Harness line = harness(element(), kSquare);
    const Buffer out = through(line.get(), street());
    const Region found = regions(out.get())[0];
    auto* meta = gst_buffer_get_video_region_of_interest_meta(out.get());
    gst_video_region_of_interest_meta_add_param(
        meta, gst_structure_new("object_id", "id", G_TYPE_INT, 12, nullptr));
    EXPECT(regions(out.get())[0].track_id == 12);
    EXPECT(regions(out.get())[0].box.x1 == found.box.x1);  // with its fractions
    meta->x += 10;
    EXPECT(regions(out.get())[0].box.x1 == meta->x);
}

TEST(frames_between_pass_without_regions_and_a_flush_begins_anew) {
    const Harness line = harness(element("interval=3"), kSquare);
    for (int i = 0; i < 8; ++i) EXPECT((found_in(line.get(), 40 * i) > 0) == (i % 3 == 0));
    gst_harness_push_event(line.get(), gst_event_new_flush_start());
    gst_harness_push_event(line.get(), gst_event_new_flush_stop(TRUE));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_harness_push_event(line.get(), gst_event_new_segment(&segment));
    EXPECT(found_in(line.get(), 400) > 0);
}

TEST(what_is_found_can_be_chosen_while_it_plays) {
    const Harness line = harness(element(), kSquare);
    EXPECT(found_in(line.get(), 0) > 0);
    set(line.get(), "confidence", 1.0);
    EXPECT(found_in(line.get(), 40) == 0);
    set(line.get(), "confidence", 0.3);
    EXPECT(found_in(line.get(), 80) > 0);
}

TEST(detection_goes_on_when_a_stream_changes_its_size) {
    const Harness line = harness(element(), kSquare);
    const Region small = regions(through(line.get(), street()).get())[0];
    gst_harness_set_src_caps_str(line.get(),
                                 "video/x-raw,format=RGB,width=192,height=96,framerate=25/1");
    const Buffer out = through(line.get(), street(40, 192, 96));
    const std::vector<Region> found = regions(out.get(), {192, 96});
    EXPECT(!found.empty() && small.box.x1 < 48 && found[0].box.x1 < 48);
}

TEST(detectors_of_one_network_find_the_same_side_by_side) {
    const Harness first = harness(element(), kSquare), second = harness(element(), kSquare);
    std::thread other([&] {
        for (int i = 0; i < 20; ++i) EXPECT(found_in(second.get(), 40 * i) > 0);
    });
    for (int i = 0; i < 20; ++i) EXPECT(found_in(first.get(), 40 * i) > 0);
    other.join();
}

TEST(a_frame_without_vehicles_passes_as_it_is_and_the_stream_ends) {
    const Harness line = harness(element(), kSquare);
    const Buffer out = through(line.get(), frame(kSquare));
    EXPECT(regions(out.get()).empty());
    EXPECT(gst_harness_push_event(line.get(), gst_event_new_eos()));
}

TEST(a_frame_smaller_than_its_caps_is_an_error_of_the_detector) {
    const Harness line = harness(element(), kSquare);
    Buffer buffer(gst_buffer_new_allocate(nullptr, 100, nullptr));
    EXPECT(gst_harness_push(line.get(), buffer.release()) == GST_FLOW_ERROR);
}

TEST(vehicles_without_tracks_are_described_one_by_one) {
    const Harness line =
        harness(element() + " ! pamtri bundle=fake sync=true batch=1 min-side=4", kSquare);
    const Buffer out = through(line.get(), street());
    EXPECT(!vehicles(out.get()).empty());
    for (const auto& vehicle : vehicles(out.get())) EXPECT(vehicle.track_id == PAMTRI_UNTRACKED);
}
