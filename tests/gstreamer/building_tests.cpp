// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// pamtri while its engine is built, which takes minutes: it starts at once, and frames pass.
#include <chrono>
#include <string>
#include <thread>

#include "fake_network.hpp"
#include "harness.hpp"

using namespace test;

namespace {

const std::string kUnbuilt = "pamtri bundle=unbuilt min-side=8 ";

/// The texts of progress that come within five seconds, until one has these words.
std::string told_until(GstBus* bus, const std::string& words) {
    std::string all;
    while (all.find(words) == std::string::npos) {
        GstMessage* message = gst_bus_timed_pop_filtered(bus, 5 * GST_SECOND, GST_MESSAGE_PROGRESS);
        if (!message) break;
        gchar* text = nullptr;
        gst_message_parse_progress(message, nullptr, nullptr, &text);
        all += std::string(text) + "\n";
        g_free(text);
        gst_message_unref(message);
    }
    return all;
}

/// An element on a bus that can be read.
struct Line {
    explicit Line(const std::string& launch) {
        initialize();
        bus = gst_bus_new();
        GstElement* element = gst_parse_launch(launch.c_str(), nullptr);
        gst_element_set_bus(element, bus);
        harness.reset(gst_harness_new_with_element(element, "sink", "src"));
        gst_object_unref(element);
        gst_harness_set_src_caps_str(harness.get(), kRgb);
    }
    ~Line() {
        harness.reset();
        gst_bus_set_flushing(bus, TRUE);
        gst_object_unref(bus);
    }

    GstBus* bus = nullptr;
    Harness harness;
};

}  // namespace

TEST(an_engine_is_built_beside_the_frames_and_then_used) {
    hold_builds(true);
    const Line line(kUnbuilt);
    EXPECT(told_until(line.bus, "50 %").find("Loading unbuilt on device auto") == 0);
    through(line.harness.get(), frame(kRgb));
    EXPECT(stat(line.harness->element, "unready") == 1 &&
           stat(line.harness->element, "frames") == 0);
    hold_builds(false);
    EXPECT(told_until(line.bus, "unbuilt runs on").find("runs on device auto (fake, fake)") !=
           std::string::npos);
    for (int number = 1; stat(line.harness->element, "frames") == 0 && number < 500; ++number)
        through(line.harness.get(), frame(kRgb, 40 * number));
    EXPECT(stat(line.harness->element, "frames") == 1);
}

TEST(an_element_that_is_stopped_ends_the_building) {
    hold_builds(true);
    const int before = networks_opened();
    const Line line(kUnbuilt);
    told_until(line.bus, "50 %");
    gst_element_set_state(line.harness->element, GST_STATE_NULL);
    EXPECT(told_until(line.bus, "not built").find("for the element was stopped") !=
           std::string::npos);
    EXPECT(networks_opened() == before);
    hold_builds(false);
}

TEST(with_sync_a_frame_that_waits_for_the_engine_goes_when_the_element_is_stopped) {
    hold_builds(true);
    const Line line(kUnbuilt + "sync=true");
    told_until(line.bus, "50 %");
    std::thread pushing([&] { gst_harness_push(line.harness.get(), frame(kRgb).release()); });
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    gst_element_set_state(line.harness->element, GST_STATE_NULL);
    pushing.join();
    hold_builds(false);
}

TEST(without_leave_to_build_the_element_does_not_start) {
    initialize();
    GstElement* element = gst_parse_launch((kUnbuilt + "build-engine=false").c_str(), nullptr);
    GstBus* bus = gst_bus_new();
    gst_element_set_bus(element, bus);
    EXPECT(gst_element_set_state(element, GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE);
    GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
    EXPECT(message != nullptr);
    GError* error = nullptr;
    gst_message_parse_error(message, &error, nullptr);
    EXPECT(std::string(error->message).find("none may be built (build-engine=true)") !=
           std::string::npos);
    g_error_free(error);
    gst_message_unref(message);
    gst_element_set_state(element, GST_STATE_NULL);
    gst_bus_set_flushing(bus, TRUE);
    gst_object_unref(element);
    gst_object_unref(bus);
}
