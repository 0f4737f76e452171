// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The element pamtri under GStreamer's harness, on a network for tests.
#include <stdlib.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <thread>

#include "event_message.hpp"
#include "fake_network.hpp"
#include "harness.hpp"
#include "line.hpp"
#include "regions.hpp"

using namespace test;
using pamtri::core::Box;
using pamtri::core::Event;
using pamtri::core::FrameSize;
using pamtri::gst::Vehicle;

namespace {

constexpr char kSync[] = "pamtri bundle=fake sync=true batch=1";
constexpr FrameSize kSize{320, 240};

/// A frame of noise, so that pictures of it are sharp, with regions.
Buffer busy(const std::vector<pamtri::gst::Region>& regions, int time_ms = 0,
            const std::string& caps = kRgb, FrameSize size = kSize) {
    Buffer buffer = frame(caps, time_ms);
    GstMapInfo map;
    EXPECT(gst_buffer_map(buffer.get(), &map, GST_MAP_WRITE));
    unsigned value = 12345;
    for (gsize i = 0; i < map.size; ++i) {
        value = value * 1664525 + 1013904223;
        map.data[i] = static_cast<guint8>(value >> 24);
    }
    gst_buffer_unmap(buffer.get(), &map);
    for (const auto& region : regions) pamtri::gst::add_region(buffer.get(), region, size);
    return buffer;
}

pamtri::gst::Region car(guint64 id, Box box = {40, 40, 140, 120}, bool last = false) {
    return {id, box, "car", last, -1};
}

/// The events of the messages on the harness's bus and of the serialized events after it.
std::vector<Event> events_after(GstHarness* harness) {
    std::vector<Event> found;
    while (GstEvent* event = gst_harness_try_pull_event(harness)) {
        const auto ours = GST_EVENT_TYPE(event) == GST_EVENT_CUSTOM_DOWNSTREAM
                              ? pamtri::gst::event_of(gst_event_get_structure(event))
                              : nullptr;
        if (ours) found.push_back(*ours);
        gst_event_unref(event);
    }
    return found;
}

guint64 stat(GstHarness* harness, const char* name) {
    GstElement* element = gst_harness_find_element(harness, "pamtri");
    const guint64 value = test::stat(element, name);
    gst_object_unref(element);
    return value;
}

void drain(GstHarness* harness) {
    gst_harness_push_event(harness, gst_event_new_eos());
    while (GstBuffer* buffer = gst_harness_try_pull(harness)) gst_buffer_unref(buffer);
}

}  // namespace

TEST(a_vehicle_is_answered_on_its_frame_and_on_every_later_one) {
    const Harness line = harness(kSync, kRgb);
    for (int i = 0; i < 5; ++i) {
        const Buffer out = through(line.get(), busy({car(7)}, 40 * i));
        const std::vector<Vehicle> found = vehicles(out.get());
        EXPECT(found.size() == 1 && found[0].track_id == 7 && found[0].object_type == "car");
        EXPECT(found[0].state() == PAMTRI_VEHICLE_ANSWERED && found[0].known->views >= 1);
        EXPECT(found[0].known->bundle == "fake" && found[0].known->type == "car");
        double length = 0;
        for (const float value : found[0].known->embedding) length += value * value;
        EXPECT(std::abs(length - 1) < 1e-5);
    }
    EXPECT(stat(line.get(), "embedded") == 1);
}

TEST(what_is_known_stands_at_the_region_too) {
    const Harness line = harness(kSync, kRgb);
    const Buffer out = through(line.get(), busy({car(7)}));
    auto* meta = gst_buffer_get_video_region_of_interest_meta(out.get());
    const GstStructure* told = gst_video_region_of_interest_meta_get_param(meta, "pamtri");
    EXPECT(told && std::string(gst_structure_get_string(told, "type")) == "car");
    const GValue* embedding = gst_structure_get_value(told, "embedding");
    EXPECT(g_bytes_get_size(static_cast<GBytes*>(g_value_get_boxed(embedding))) == 16);
}

TEST(attach_to_chooses_where_it_is_told) {
    const Harness line = harness("pamtri bundle=fake sync=true batch=1 attach-to=region", kRgb);
    const Buffer out = through(line.get(), busy({car(7)}));
    EXPECT(vehicles(out.get()).empty());
    const Harness other = harness("pamtri bundle=fake sync=true batch=1 attach-to=meta", kRgb);
    const Buffer second = through(other.get(), busy({car(7)}));
    auto* meta = gst_buffer_get_video_region_of_interest_meta(second.get());
    EXPECT(!gst_video_region_of_interest_meta_get_param(meta, "pamtri"));
}

TEST(types_that_are_not_wanted_are_left_alone) {
    const Harness line = harness("pamtri bundle=fake sync=true classes=truck,car", kRgb);
    const Buffer out =
        through(line.get(), busy({car(7), {8, {150, 50, 250, 200}, "person", false, -1}}));
    EXPECT(vehicles(out.get()).size() == 1);
}

TEST(the_end_of_a_stream_finishes_tracks_and_tells_each_event_once_before_it) {
    const Harness line = harness("pamtri bundle=fake batch=8", kRgb);
    for (int i = 0; i < 3; ++i)
        through(line.get(), busy({car(1), car(2, {150, 100, 300, 220})}, 40 * i));
    gst_harness_push_event(line.get(), gst_event_new_eos());
    std::vector<Event> events;
    bool ended = false;
    while (GstEvent* event = gst_harness_try_pull_event(line.get())) {
        if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) ended = true;
        if (GST_EVENT_TYPE(event) == GST_EVENT_CUSTOM_DOWNSTREAM) {
            EXPECT(!ended);
            events.push_back(*pamtri::gst::event_of(gst_event_get_structure(event)));
        }
        gst_event_unref(event);
    }
    EXPECT(ended && events.size() == 2);
    EXPECT(events[0].track_id == 1 && events[0].seen == 3 && events[0].end_s == 0.08);
    EXPECT(events[1].keypoints && events[1].keypoints->size() == 2);
    EXPECT(events[1].camera == "camera" && events[1].color->all.size() == 3);
}

TEST(a_tee_gives_each_branch_every_event_once) {
    const Harness line = harness(
        "pamtri bundle=fake sync=true ! tee name=t ! queue ! funnel name=f t. ! queue ! f. f. ! "
        "identity",
        kRgb);
    EXPECT(gst_harness_push(line.get(), busy({car(1, {40, 40, 140, 120}, true)}).release()) ==
           GST_FLOW_OK);
    gst_harness_push_event(line.get(), gst_event_new_eos());
    gst_buffer_unref(gst_harness_pull(line.get()));
    gst_buffer_unref(gst_harness_pull(line.get()));
    // The queues have threads of their own: the end, which comes when both branches have it, is
    // waited for.
    int told = 0;
    bool ended = false;
    while (!ended) {
        GstEvent* event = gst_harness_pull_event(line.get());
        if (!event) break;
        told += GST_EVENT_TYPE(event) == GST_EVENT_CUSTOM_DOWNSTREAM;
        ended = GST_EVENT_TYPE(event) == GST_EVENT_EOS;
        gst_event_unref(event);
    }
    EXPECT(ended && told == 2);  // one of each branch
}

TEST(a_track_that_is_told_to_be_over_ends_at_once_and_one_unseen_expires) {
    const Harness line = harness("pamtri bundle=fake sync=true batch=1 expiry=100", kRgb);
    through(line.get(), busy({car(1), car(2, {150, 100, 300, 220}, true)}, 0));
    EXPECT(events_after(line.get()).size() == 1);
    through(line.get(), busy({}, 40));
    EXPECT(events_after(line.get()).empty());
    through(line.get(), busy({}, 120));
    const std::vector<Event> events = events_after(line.get());
    EXPECT(events.size() == 1 && events[0].track_id == 1);
}

TEST(an_id_that_comes_back_after_its_expiry_is_another_track) {
    const Harness line = harness("pamtri bundle=fake sync=true batch=1 expiry=100", kRgb);
    through(line.get(), busy({car(1)}, 0));
    through(line.get(), busy({car(1)}, 1000));
    drain(line.get());
    const std::vector<Event> events = events_after(line.get());
    EXPECT(events.size() == 2 && events[0].track_id == 1 && events[1].start_s == 1.0);
}

TEST(untracked_vehicles_are_events_of_their_own) {
    const Harness line = harness(kSync, kRgb);
    through(line.get(), busy({car(PAMTRI_UNTRACKED), car(PAMTRI_UNTRACKED, {150, 9, 300, 99})}));
    drain(line.get());
    EXPECT(events_after(line.get()).size() == 2);
}

TEST(ids_above_2_to_53_are_kept) {
    const Harness line = harness(kSync, kRgb);
    const guint64 id = (1ull << 63) + 1;
    through(line.get(), busy({car(id)}));
    drain(line.get());
    const std::vector<Event> events = events_after(line.get());
    EXPECT(events.size() == 1 && events[0].track_id == id);
}

TEST(five_hundred_vehicles_in_a_frame_are_all_answered) {
    const Harness line = harness("pamtri bundle=fake sync=true min-side=4", kRgb);
    std::vector<pamtri::gst::Region> regions;
    for (int i = 0; i < 500; ++i) {
        const double x = 12.0 * (i % 25), y = 11.0 * (i / 25);
        regions.push_back(car(static_cast<guint64>(i), {x + 2, y + 2, x + 12, y + 12}));
    }
    EXPECT(vehicles(through(line.get(), busy(regions)).get()).size() == 500);
    drain(line.get());
    EXPECT(events_after(line.get()).size() == 500);
}

TEST(boxes_outside_empty_or_no_numbers_harm_nothing) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double huge = std::numeric_limits<double>::max();
    const Harness line = harness(kSync, kRgb);
    const std::vector<Box> boxes = {{-90, -90, -10, -10}, {400, 0, 500, 90},
                                    {50, 50, 50, 90},     {90, 90, 10, 10},
                                    {nan, 0, 10, 10},     {-huge, -huge, huge, huge}};
    for (int i = 0; i < 3; ++i) {
        Buffer buffer = busy({}, 40 * i);
        for (std::size_t k = 0; k < boxes.size(); ++k)
            pamtri::gst::add_region(buffer.get(), car(k + 1, boxes[k]), kSize);
        EXPECT(vehicles(through(line.get(), std::move(buffer)).get()).size() == boxes.size());
    }
    drain(line.get());
    const std::vector<Event> events = events_after(line.get());
    EXPECT(events.size() == 1 && events[0].track_id == 6);
    EXPECT(stat(line.get(), "unseen") == 5);
}

TEST(a_second_box_of_a_track_in_a_frame_is_counted_and_left_out) {
    const Harness line = harness(kSync, kRgb);
    const Buffer out = through(line.get(), busy({car(1), car(1, {150, 100, 300, 220})}));
    EXPECT(vehicles(out.get()).size() == 2);
    EXPECT(stat(line.get(), "repeated") == 1);
}

TEST(a_stream_may_change_its_size_and_format) {
    const Harness line = harness(kSync, kRgb);
    through(line.get(), busy({car(1)}, 0));
    const char* forms[] = {"NV12", "I420", "BGR", "RGBA", "YV12", "NV21", "BGRx"};
    int time_ms = 40;
    for (const char* form : forms) {
        const std::string caps =
            std::string("video/x-raw,width=642,height=482,framerate=25/1,format=") + form;
        gst_harness_set_src_caps_str(line.get(), caps.c_str());
        const Buffer out = through(line.get(), busy({car(1)}, time_ms += 40, caps, {642, 482}));
        EXPECT(vehicles(out.get())[0].state() == PAMTRI_VEHICLE_ANSWERED);
    }
    drain(line.get());
    EXPECT(events_after(line.get()).size() == 1);
}

TEST(a_flush_ends_tracks_with_what_is_known_and_the_next_frame_tells_it) {
    const Harness line = harness(kSync, kRgb);
    through(line.get(), busy({car(1)}, 0));
    gst_harness_push_event(line.get(), gst_event_new_flush_start());
    gst_harness_push_event(line.get(), gst_event_new_flush_stop(TRUE));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_harness_push_event(line.get(), gst_event_new_segment(&segment));
    through(line.get(), busy({car(1)}, 400));
    EXPECT(events_after(line.get()).size() == 1);
    drain(line.get());
    const std::vector<Event> events = events_after(line.get());
    EXPECT(events.size() == 1 && events[0].seen == 1);
}

TEST(a_gap_lets_tracks_expire) {
    const Harness line = harness("pamtri bundle=fake sync=true batch=1 expiry=100", kRgb);
    through(line.get(), busy({car(1)}, 0));
    gst_harness_push_event(line.get(), gst_event_new_gap(500 * GST_MSECOND, 40 * GST_MSECOND));
    EXPECT(events_after(line.get()).size() == 1);
}

TEST(times_that_are_missing_or_go_back_never_turn_a_track_around) {
    const Harness line = harness(kSync, kRgb);
    const int times[] = {0, 40, -1, 80, 20, 20, 160};
    for (const int time : times) {
        Buffer buffer = busy({car(1)}, std::max(time, 0));
        if (time < 0) GST_BUFFER_PTS(buffer.get()) = GST_CLOCK_TIME_NONE;
        through(line.get(), std::move(buffer));
    }
    drain(line.get());
    const std::vector<Event> events = events_after(line.get());
    EXPECT(events.size() == 1 && events[0].seen == 7);
    EXPECT(events[0].start_s == 0 && events[0].end_s > 0.16 && events[0].end_s < 0.5);
}

TEST(without_sync_frames_never_wait_and_what_is_late_is_counted) {
    const Harness line = harness("pamtri bundle=slow batch=1 max-waiting=2 min-side=16", kRgb);
    const gint64 begin = g_get_monotonic_time();
    std::vector<pamtri::gst::Region> regions;
    for (int i = 0; i < 40; ++i) {
        const double x = 4 + 39.0 * (i % 8), y = 4 + 46.0 * (i / 8);
        regions.push_back(car(static_cast<guint64>(i), {x, y, x + 36, y + 40}));
    }
    for (int i = 0; i < 10; ++i) through(line.get(), busy(regions, 40 * i));
    EXPECT(g_get_monotonic_time() - begin < 1000000);  // 40 vehicles take the network 1.2 s
    EXPECT(stat(line.get(), "frames") == 10 && stat(line.get(), "late") > 100);
    drain(line.get());
    EXPECT(events_after(line.get()).size() == 40);
}

TEST(a_budget_bounds_what_is_embedded_a_second) {
    const Harness line = harness("pamtri bundle=fake sync=true batch=1 budget=3 expiry=0", kRgb);
    for (int i = 0; i < 25; ++i) {
        std::vector<pamtri::gst::Region> regions;
        for (guint64 k = 0; k < 20; ++k)
            regions.push_back(car(k, {10.0 + 12 * k, 10, 70.0 + 12 * k, 80}));
        through(line.get(), busy(regions, 40 * i));
    }
    EXPECT(stat(line.get(), "embedded") <= 6);
}

TEST(elements_of_one_bundle_share_its_network) {
    const int before = networks().opened;
    {
        const Harness one = harness(kSync, kRgb), other = harness(kSync, kRgb);
        through(one.get(), busy({car(1)}));
        through(other.get(), busy({car(1)}));
        EXPECT(networks().opened == before + 1 && networks().open == 1);
        const Harness third = harness("pamtri bundle=fake threads=2", kRgb);
        through(third.get(), busy({car(1)}));
        EXPECT(networks().open == 2);
    }
    EXPECT(networks().open == 0);
}

TEST(an_element_can_be_stopped_and_played_again) {
    const Harness line = harness(kSync, kRgb);
    GstElement* element = gst_harness_find_element(line.get(), "pamtri");
    for (int i = 0; i < 3; ++i) {
        gst_harness_push(line.get(), busy({car(1)}, 40 * i).release());
        EXPECT(gst_element_set_state(element, GST_STATE_NULL) == GST_STATE_CHANGE_SUCCESS);
        EXPECT(networks().open == 0);
        EXPECT(gst_element_set_state(element, GST_STATE_PLAYING) == GST_STATE_CHANGE_SUCCESS);
        gst_harness_set_src_caps_str(line.get(), kRgb);
    }
    gst_object_unref(element);
}

TEST(buffers_that_others_hold_are_not_changed) {
    const Harness line = harness(kSync, kRgb);
    const Buffer held = busy({car(1)});
    EXPECT(gst_harness_push(line.get(), gst_buffer_ref(held.get())) == GST_FLOW_OK);
    const Buffer out(gst_harness_pull(line.get()));
    EXPECT(vehicles(held.get()).empty() && vehicles(out.get()).size() == 1);
    EXPECT(GST_MINI_OBJECT_REFCOUNT_VALUE(held.get()) == 1);
}

TEST(no_event_of_five_hundred_frames_is_lost) {  // benchmarks/gstreamer.py: memory over 10,000
    const Harness line = harness("pamtri bundle=fake expiry=200", kRgb);
    for (int i = 0; i < 500; ++i) {
        const auto id = static_cast<guint64>(i / 25);
        Buffer buffer = i % 50 ? frame(kRgb, 40 * i) : busy({}, 40 * i);
        pamtri::gst::add_region(buffer.get(), car(id, {40, 40, 100, 100}), kSize);
        through(line.get(), std::move(buffer));
        while (GstEvent* event = gst_harness_try_pull_event(line.get())) gst_event_unref(event);
    }
    EXPECT(stat(line.get(), "frames") == 500 && stat(line.get(), "events") >= 18);
}

TEST(views_are_dumped_as_they_were_cut_and_given_to_the_network) {
    char folder[] = "/tmp/pamtri-dump-XXXXXX";
    EXPECT(mkdtemp(folder) != nullptr);
    const Harness made =
        harness(std::string(kSync) + " dump-count=1 dump-dir=" + folder + "/views", kRgb);
    through(made.get(), busy({car(1), car(2, {150, 40, 260, 120})}));
    drain(made.get());
    EXPECT(stat(made.get(), "embedded") == 2);
    const std::string file = std::string(folder) + "/views/crop-00000000";
    std::ifstream text(file + ".json");
    const std::string record(std::istreambuf_iterator<char>(text), {});
    for (const char* part :
         {R"("frame":0,"track":1)", R"("rgb":{"dtype":"uint8","shape":[80,100,3])",
          R"("images":{"dtype":"float32","shape":[3,64,64])"})
        expect_in(record, part);
    EXPECT(std::filesystem::file_size(file + ".bin") ==
           80 * 100 * 3 + 4 * (3 * 64 * 64 + 4 + 3 + 2 + 6 + 1));
    std::filesystem::remove_all(folder);
}
