// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What is known of vehicles stays on their buffers, whatever stands in the pipeline.
#include <cmath>

#include "harness.hpp"
#include "regions.hpp"

using namespace test;
using pamtri::gst::Known;
using pamtri::gst::Region;
using pamtri::gst::Vehicle;

namespace {

Vehicle truck() {
    Known known;
    known.passed = true;
    known.views = 2;
    known.quality = 0.5;
    known.color = "white";
    known.color_probability = 0.75;
    known.embedding = {0.6f, 0.8f};
    known.keypoints = {0.25f, 0.5f, 0.9f};
    Vehicle vehicle;
    vehicle.track_id = (1ull << 53) + 1;
    vehicle.box = {10.5, 20, 110, 60.25};
    vehicle.object_type = "truck";
    vehicle.known = std::make_shared<const Known>(known);
    return vehicle;
}

/// A frame with one vehicle that went through a launch line.
Buffer carried(const std::string& launch, const std::string& caps = kRgb) {
    const Harness line = harness(launch, caps);
    Buffer buffer = frame(caps);
    pamtri::gst::add_vehicle(buffer.get(), truck());
    EXPECT(gst_harness_push(line.get(), buffer.release()) == GST_FLOW_OK);
    gst_harness_push_event(line.get(), gst_event_new_eos());  // videorate waits for what comes next
    return Buffer(gst_harness_pull(line.get()));
}

bool is_near(double a, double b) { return std::abs(a - b) < 1e-9; }

void expect_truck(GstBuffer* buffer, double scale = 1) {
    const std::vector<Vehicle> found = vehicles(buffer);
    EXPECT(found.size() == 1);
    EXPECT(found[0].track_id == (1ull << 53) + 1);
    EXPECT(is_near(found[0].box.x1, 10.5 * scale) && is_near(found[0].box.y1, 20 * scale));
    EXPECT(is_near(found[0].box.x2, 110 * scale) && is_near(found[0].box.y2, 60.25 * scale));
    EXPECT(found[0].known && found[0].known->embedding == std::vector<float>({0.6f, 0.8f}));
    EXPECT(found[0].state() == PAMTRI_VEHICLE_ANSWERED);
}

}  // namespace

TEST(vehicles_survive_queue_convert_and_rate) {
    expect_truck(
        carried("queue ! videoconvert ! video/x-raw,format=NV12 ! videorate ! identity").get());
}

TEST(boxes_are_scaled_with_the_picture) {
    expect_truck(carried("videoscale ! video/x-raw,width=640,height=480 ! identity").get(), 2);
    expect_truck(
        carried("videoconvertscale ! video/x-raw,format=I420,width=160,height=120 ! identity")
            .get(),
        0.5);
}

TEST(a_tee_gives_each_branch_its_own_copy) {
    // One branch scales: the other's box must stay as it was.
    const Harness line = harness(
        "tee name=t ! queue ! funnel name=f t. ! queue ! videoscale ! "
        "video/x-raw,width=320,height=240 "
        "! f. f. ! identity",
        kRgb);
    Buffer buffer = frame(kRgb);
    pamtri::gst::add_vehicle(buffer.get(), truck());
    expect_truck(through(line.get(), std::move(buffer)).get());
    expect_truck(Buffer(gst_harness_pull(line.get())).get());
}

TEST(a_copy_outlives_its_original) {
    Buffer first = frame(kRgb);
    pamtri::gst::add_vehicle(first.get(), truck());
    const Buffer second(gst_buffer_copy_deep(first.get()));
    first.reset();
    expect_truck(second.get());
}

TEST(vehicles_can_be_taken_off_a_buffer_and_nothing_else_is) {
    const Buffer buffer = frame(kRgb);
    pamtri::gst::add_vehicle(buffer.get(), truck());
    pamtri::gst::add_region(buffer.get(), {7, {1, 2, 30, 40}, "car", false, -1}, {320, 240});
    pamtri::gst::remove_vehicles(buffer.get());
    EXPECT(vehicles(buffer.get()).empty());
    EXPECT(pamtri::gst::regions_of(buffer.get(), {320, 240}, {}).size() == 1);
}

TEST(the_c_interface_tells_what_is_known) {
    const Buffer buffer = frame(kRgb);
    pamtri::gst::add_vehicle(buffer.get(), truck());
    pamtri::gst::add_vehicle(buffer.get(), {});
    PamtriVehicle vehicle;
    EXPECT(pamtri_buffer_vehicle_count(buffer.get()) == 2);
    EXPECT(pamtri_buffer_get_vehicle(buffer.get(), 0, &vehicle, sizeof vehicle));
    EXPECT(std::string(vehicle.color) == "white" && vehicle.color_probability == 0.75);
    EXPECT(vehicle.keypoint_count == 1 && vehicle.keypoints[2] == 0.9f);
    EXPECT(vehicle.embedding_size == 2 && vehicle.views == 2 && !vehicle.type);
    EXPECT(pamtri_buffer_get_vehicle(buffer.get(), 1, &vehicle, sizeof vehicle));
    EXPECT(vehicle.track_id == PAMTRI_UNTRACKED && vehicle.state == PAMTRI_VEHICLE_PENDING);
    EXPECT(vehicle.quality == -1 && !vehicle.embedding);
    EXPECT(!pamtri_buffer_get_vehicle(buffer.get(), 2, &vehicle, sizeof vehicle));
    EXPECT(!pamtri_buffer_get_vehicle(buffer.get(), 0, &vehicle, sizeof vehicle - 8));
}

TEST(regions_keep_ids_of_64_bits_and_fractions_of_pixels) {
    const Buffer buffer = frame(kRgb);
    const pamtri::core::FrameSize size{320, 240};
    const Region given{0xFFFFFFFFFFFFFFFEull, {-3.5, 10.25, 320.75, 200}, "car", true, -1};
    pamtri::gst::add_region(buffer.get(), given, size);
    const std::vector<Region> found = pamtri::gst::regions_of(buffer.get(), size, {"car"});
    EXPECT(found.size() == 1 && found[0].track_id == given.track_id && found[0].last);
    EXPECT(found[0].box.x1 == -3.5 && found[0].box.x2 == 320.75 && found[0].roi == 0);
    const std::vector<Region> halved = pamtri::gst::regions_of(buffer.get(), {160, 120}, {});
    EXPECT(halved[0].box.x1 == -1.75 && halved[0].box.y2 == 100);
}

TEST(regions_of_others_name_their_track_in_three_ways) {
    const Buffer buffer = frame(kRgb);
    const auto add = [&buffer](const char* type, int id) {
        auto* meta = gst_buffer_add_video_region_of_interest_meta(buffer.get(), type, 1, 2, 30, 40);
        meta->id = id;
        return meta;
    };
    const auto object = [](auto* meta, GType type, auto id) {
        gst_video_region_of_interest_meta_add_param(
            meta, gst_structure_new("object_id", "id", type, id, nullptr));
    };
    object(add("car", 9), G_TYPE_INT, 5);
    object(add("car", 9), G_TYPE_UINT64, guint64{1} << 60);
    object(add("car", 9), G_TYPE_INT64, gint64{6});
    add("car", 8);
    add("car", 0);
    add("person", 4);
    const std::vector<Region> found = pamtri::gst::regions_of(buffer.get(), {320, 240}, {"car"});
    EXPECT(found.size() == 5);
    EXPECT(found[0].track_id == 5 && found[1].track_id == guint64{1} << 60);
    EXPECT(found[2].track_id == 6 && found[3].track_id == 8);
    EXPECT(found[4].track_id == PAMTRI_UNTRACKED && found[4].box.y2 == 42);
}
