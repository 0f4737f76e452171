// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include <gst-nvevent.h>
#include <nvdsmeta_schema.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <thread>
#include <utility>

#include "fake_cuda/device.hpp"
#include "fake_network.hpp"
#include "fake_nvbuf.hpp"
#include "fake_nvds.hpp"
#include "json.hpp"
#include "regions.hpp"
#include "scene.hpp"
#include "vehicle_user_meta.h"

using pamtri::core::Box;
using test::Batch;
using test::Buffer;
using test::Form;
using test::kFrames;
using test::kLeft;
using test::kRight;
using test::kSync;
using test::object_in;
using test::painted;
using test::Pipeline;
using test::with_vehicle;

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

/// Tell whether something between the program and the system keeps what was given back for a while.
bool is_watched() {
    const char* const loaded = std::getenv("LD_PRELOAD");  // valgrind's own libraries, under it
    return kSanitized || (loaded != nullptr && std::strstr(loaded, "vgpreload") != nullptr);
}

pamtri::core::Json json_of(const std::string& text) { return pamtri::core::parse_json(text); }

long resident_kb() {
    std::ifstream status("/proc/self/statm");
    long total = 0, resident = 0;
    status >> total >> resident;
    return resident * 4;
}

}  // namespace

void test::afterwards() {
    EXPECT(nvds::counts().none());
    EXPECT(nvds::counts().unlocked_changes == 0);
    EXPECT(nvbuf::counts().none());
    EXPECT(device::live().none());
    EXPECT(networks().open == 0);
    nvds::reset();
    nvbuf::reset();
    device::clear_journal();
}

TEST(a_vehicle_is_described_on_its_frame_and_on_every_later_one) {
    const test::Surfaces surfaces = painted(1);
    Pipeline pipeline(kSync + "max-wait=0 batch=1", kFrames);
    for (int number = 0; number < 5; ++number) {
        const Buffer out = pipeline.through(with_vehicle(number), surfaces.get());
        const NvDsObjectMeta* object = object_in(out);
        const PamtriVehicle* vehicle = pamtri_vehicle_of(object);
        EXPECT(vehicle != nullptr);
        EXPECT(vehicle->track_id == 7 && vehicle->views == 1 && vehicle->embedding_size == 4);
        EXPECT(g_list_length(object->classifier_meta_list) == 2);
        EXPECT(std::string(vehicle->object_type) == "car");
    }
    EXPECT(pipeline.stat("frames") == 5 && pipeline.stat("embedded") == 1);
    EXPECT(nvds::counts().times_in == 5 && nvds::counts().times_out == 5);
    pipeline.send(gst_event_new_eos());
    EXPECT(pipeline.events().size() == 1);
}

TEST(ids_that_repeat_across_sources_are_tracks_of_their_own) {
    const test::Surfaces surfaces = painted(3);
    Pipeline pipeline(kSync + "camera=north,south", kFrames);
    for (int number = 0; number < 3; ++number) {
        Batch batch = test::new_batch();
        for (const unsigned source : {0u, 1u, 5u})
            test::add_object(test::add_frame(batch.get(), source, number), 7, kLeft);
        const Buffer out = pipeline.through(std::move(batch), surfaces.get());
    }
    pipeline.send(gst_event_new_eos());
    const auto events = pipeline.events();
    EXPECT(events.size() == 3);
    std::vector<std::string> cameras;
    for (const std::string& text : events) cameras.push_back(json_of(text)["camera"]);
    EXPECT((cameras == std::vector<std::string>{"north", "south", "north-5"}));
    // Their frames differ, and so do their embeddings.
    EXPECT(json_of(events[0])["embedding"] != json_of(events[1])["embedding"]);
    EXPECT(pipeline.stat("frames") == 9 && pipeline.stat("repeated") == 0);
}

TEST(what_sources_have_waiting_goes_to_the_network_together) {
    const test::Surfaces surfaces = painted(4);
    const int before = test::networks().batches;
    Pipeline pipeline("nvpamtri bundle=fake min-side=8 max-wait=0 batch=1", kFrames);
    for (int number = 0; number < 3; ++number) {
        Batch batch = test::new_batch();
        for (unsigned source = 0; source < 4; ++source)
            test::add_object(test::add_frame(batch.get(), source, number), 7, kLeft);
        const Buffer out = pipeline.through(std::move(batch), surfaces.get());
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    pipeline.send(gst_event_new_eos());
    EXPECT(pipeline.events().size() == 4);
    EXPECT(test::networks().batches - before <= static_cast<int>(pipeline.stat("embedded")));
}

TEST(a_buffer_that_a_tee_gave_to_others_too_is_not_changed) {
    const test::Surfaces surfaces = painted(1);
    Pipeline pipeline(kSync + "max-wait=0 batch=1 messages=frames", kFrames);
    Buffer kept;
    EXPECT(pipeline.push(with_vehicle(0), surfaces.get(), &kept) == GST_FLOW_OK);
    Buffer out(gst_harness_pull(pipeline.harness()));
    EXPECT(pamtri_vehicle_of(object_in(kept)) == nullptr);
    EXPECT(object_in(kept)->classifier_meta_list == nullptr);
    EXPECT(pamtri_vehicle_of(object_in(out)) != nullptr);
    // A tee behind it, whose branches write: each copy is whole, and released once.
    Buffer branch(gst_buffer_copy(out.get()));
    const auto before = nvds::counts();
    EXPECT(before.copied == 3);
    out.reset();
    EXPECT(pamtri_vehicle_of(object_in(branch))->embedding_size == 4);
    kept.reset();
    branch.reset();
    EXPECT(nvds::counts().released == 6);
}

TEST(a_source_that_is_removed_in_flight_ends_its_tracks_alone) {
    const test::Surfaces surfaces = painted(2);
    Pipeline pipeline(kSync, kFrames);
    const auto both = [](int number) {
        Batch batch = test::new_batch();
        for (const unsigned source : {0u, 1u})
            test::add_object(test::add_frame(batch.get(), source, number), 7, kLeft);
        return batch;
    };
    for (int number = 0; number < 3; ++number) pipeline.through(both(number), surfaces.get());
    pipeline.send(gst_nvevent_new_pad_deleted(1));
    const auto ended = pipeline.events();
    EXPECT(ended.size() == 1);
    EXPECT(json_of(ended[0])["camera"] == "camera-1");
    pipeline.through(with_vehicle(3), surfaces.get());
    EXPECT(pipeline.events().empty());
    // The pad is given to another camera, whose first vehicle has the same id.
    pipeline.through(both(4), surfaces.get());
    pipeline.send(gst_nvevent_new_stream_eos(1));
    const auto second = pipeline.events();
    EXPECT(second.size() == 1);
    EXPECT(json_of(second[0])["start_s"] == 0.0 && json_of(second[0])["frames"]["seen"] == 1);
    pipeline.send(gst_nvevent_new_stream_eos(9));  // one that never gave a frame
    pipeline.send(gst_event_new_eos());
    EXPECT(pipeline.events().size() == 1);
    EXPECT(pipeline.stat("events") == 3 && pipeline.stat("frames") == 9);
}

TEST(a_source_that_is_reset_ends_its_tracks_with_what_is_known) {
    const test::Surfaces surfaces = painted(1);
    Pipeline pipeline(kSync + "max-wait=0 batch=1", kFrames);
    pipeline.through(with_vehicle(0), surfaces.get());
    pipeline.send(gst_nvevent_new_stream_reset(0));
    EXPECT(pipeline.events().size() == 1);
    pipeline.through(with_vehicle(1), surfaces.get());
    pipeline.send(gst_event_new_eos());
    EXPECT(pipeline.events().size() == 1);
}

TEST(batches_without_objects_or_frames_pass) {
    const test::Surfaces surfaces = painted(1);
    Pipeline pipeline(kSync, kFrames);
    Batch empty = test::new_batch();
    test::add_frame(empty.get(), 0, 0);
    pipeline.through(std::move(empty), surfaces.get());
    pipeline.through(test::new_batch(), surfaces.get());
    pipeline.through(with_vehicle(2), surfaces.get());
    pipeline.send(gst_event_new_eos());
    EXPECT(pipeline.events().size() == 1 && pipeline.stat("frames") == 2);
}

TEST(untracked_vehicles_are_events_of_their_own) {
    const test::Surfaces surfaces = painted(1);
    Pipeline pipeline(kSync, kFrames);
    for (int number = 0; number < 2; ++number) {
        Batch batch = test::new_batch();
        NvDsFrameMeta* frame = test::add_frame(batch.get(), 0, number);
        test::add_object(frame, UNTRACKED_OBJECT_ID, kLeft);
        test::add_object(frame, UNTRACKED_OBJECT_ID, kRight);
        pipeline.through(std::move(batch), surfaces.get());
    }
    pipeline.send(gst_event_new_eos());
    EXPECT(pipeline.events().size() == 4);
}

TEST(boxes_outside_empty_or_no_numbers_harm_nothing) {
    const test::Surfaces surfaces = painted(1);
    Pipeline pipeline(kSync + "max-wait=0 batch=1", kFrames);
    const double nan = std::nan(""), huge = 1e30;
    Batch batch = test::new_batch();
    NvDsFrameMeta* frame = test::add_frame(batch.get(), 0, 0);
    guint64 id = 1;
    for (const Box& box : {Box{200, 200, 300, 300}, Box{10, 10, 10, 40}, Box{40, 40, 10, 10},
                           Box{nan, 0, 10, 10}, Box{0, 0, huge, huge}, Box{-huge, -huge, 0, 0},
                           Box{-50, -50, 30, 30}, Box{90, 60, 200, 200}})
        test::add_object(frame, id++, box);
    const Buffer out = pipeline.through(std::move(batch), surfaces.get());
    EXPECT(pamtri_vehicle_of(object_in(out, 0, 0)) == nullptr);
    pipeline.send(gst_event_new_eos());
    // All of the frame, and two of its corners, are vehicles that its border cuts.
    EXPECT(pipeline.events().size() == 3 && pipeline.stat("unseen") == 5);
    EXPECT(pipeline.errors().empty());
}

TEST(messages_are_put_where_more_is_known_or_on_every_frame) {
    for (const auto& [when, expected] :
         {std::pair{"off", 0u}, std::pair{"changes", 1u}, std::pair{"frames", 4u}}) {
        const test::Surfaces surfaces = painted(1);
        Pipeline pipeline(kSync + "max-wait=0 batch=1 messages=" + when, kFrames);
        std::size_t count = 0;
        for (int number = 0; number < 4; ++number) {
            const Buffer out = pipeline.through(with_vehicle(number), surfaces.get());
            count += test::users_of(test::frames_of(test::batch_of(out))[0]->frame_user_meta_list,
                                    NVDS_EVENT_MSG_META)
                         .size();
        }
        EXPECT(count == expected);
    }
}

TEST(the_time_of_day_is_that_of_the_frames_ntp_time) {
    const test::Surfaces surfaces = painted(1);
    for (const auto& [set, expected] :
         {std::pair{"", "2026-05-31T08:00:00.250Z"},
          std::pair{" start-utc=2020-01-01T00:00:00Z", "2020-01-01T00:00:00.000Z"}}) {
        Pipeline pipeline(kSync + set, kFrames);
        for (int number = 0; number < 3; ++number) {
            Batch batch = with_vehicle(number);
            // The camera tells it from its second frame on.
            if (number > 0)
                test::frames_of(batch.get())[0]->ntp_timestamp =
                    1780214400250000000 + static_cast<guint64>(number) * 40000000;
            pipeline.through(std::move(batch), surfaces.get());
        }
        pipeline.send(gst_event_new_eos());
        const auto events = pipeline.events();
        EXPECT(events.size() == 1);
        EXPECT(json_of(events[0])["start_utc"] == expected);
        EXPECT(json_of(events[0])["end_s"] == 0.08);
    }
}

TEST(a_sensor_that_has_a_name_is_the_camera) {
    const test::Surfaces surfaces = painted(1);
    Pipeline pipeline(kSync, kFrames);
    Batch batch = with_vehicle(0);
    test::frames_of(batch.get())[0]->sensorInfo_meta.sensor_name = "gate 3";
    pipeline.through(std::move(batch), surfaces.get());
    pipeline.send(gst_event_new_eos());
    EXPECT(json_of(pipeline.events()[0])["camera"] == "gate 3");
}

TEST(a_seek_ends_tracks_and_the_clock_goes_on) {
    const test::Surfaces surfaces = painted(1);
    Pipeline pipeline(kSync + "max-wait=0 batch=1", kFrames);
    pipeline.through(with_vehicle(10), surfaces.get());
    pipeline.send(gst_event_new_flush_start());
    pipeline.send(gst_event_new_flush_stop(TRUE));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    pipeline.send(gst_event_new_segment(&segment));
    pipeline.through(with_vehicle(0), surfaces.get());
    pipeline.send(gst_event_new_eos());
    EXPECT(pipeline.events().size() == 2);
}

TEST(a_jetsons_frames_in_blocks_give_the_same_events) {
    std::vector<std::string> found;
    for (const auto& [memory, layout] :
         {std::pair{NVBUF_MEM_CUDA_DEVICE, NVBUF_LAYOUT_PITCH},
          std::pair{NVBUF_MEM_SURFACE_ARRAY, NVBUF_LAYOUT_PITCH},
          std::pair{NVBUF_MEM_SURFACE_ARRAY, NVBUF_LAYOUT_BLOCK_LINEAR}}) {
        Form form = kFrames;
        form.memory = memory;
        form.layout = layout;
        const test::Surfaces surfaces = painted(1, form);
        Pipeline pipeline(kSync, form);
        pipeline.through(with_vehicle(0), surfaces.get());
        pipeline.send(gst_event_new_eos());
        found.push_back(pipeline.events().at(0));
    }
    EXPECT(found[0] == found[1] && found[0] == found[2]);
}

/// Events of nvpamtri, and of pamtri on the same frames as caps of GStreamer's call them.
static void expect_equal_events(const Form& form, const std::string& caps) {
    constexpr int kCount = 30;
    const auto box_of = [](guint64 id, int number) {
        const double left = 3.5 * number + 20.0 * static_cast<double>(id) - 25;
        return Box{left, 4.25, left + 30 + number, 44.5};
    };
    const std::string settings = "bundle=fake sync=true min-side=16 batch=3 expiry=300 ";
    std::vector<std::string> ours, theirs;
    {
        Pipeline pipeline("nvpamtri " + settings, form);
        for (int number = 0; number < kCount; ++number) {
            const test::Surfaces surfaces = test::new_surfaces(1, form);
            test::Painted(form, static_cast<unsigned>(number)).put(surfaces.get(), 0);
            Batch batch = test::new_batch();
            NvDsFrameMeta* frame = test::add_frame(batch.get(), 0, number);
            for (guint64 id = 1; id <= 3; ++id)
                if (number % 7 != static_cast<int>(id))
                    test::add_object(frame, id, box_of(id, number));
            pipeline.through(std::move(batch), surfaces.get());
        }
        pipeline.send(gst_event_new_eos());
        ours = pipeline.events();
    }
    {
        test::Line line("pamtri " + settings,
                        "video/x-raw,width=96,height=64,framerate=25/1," + caps);
        for (int number = 0; number < kCount; ++number) {
            const test::Painted painted(form, static_cast<unsigned>(number));
            const std::vector<std::uint8_t> bytes =
                form.format == NVBUF_COLOR_FORMAT_RGBA ? painted.rgb() : painted.bytes();
            GstBuffer* buffer = gst_buffer_new_memdup(bytes.data(), bytes.size());
            GST_BUFFER_PTS(buffer) = static_cast<GstClockTime>(number) * 40 * GST_MSECOND;
            for (guint64 id = 1; id <= 3; ++id)
                if (number % 7 != static_cast<int>(id)) {
                    // As a tracker tells it: in single precision.
                    Box box = box_of(id, number);
                    box.x1 = static_cast<float>(box.x1);
                    box.x2 = box.x1 + static_cast<float>(30 + number);
                    pamtri::gst::add_region(buffer, {id, box, "car"}, {96, 64});
                }
            gst_buffer_unref(gst_harness_push_and_pull(line.harness(), buffer));
        }
        line.send(gst_event_new_eos());
        theirs = line.events();
    }
    EXPECT(ours.size() >= 3);
    EXPECT(ours == theirs);
}

TEST(events_are_those_of_pamtri_on_the_same_frames) {
    Form form = kFrames;
    form.format = NVBUF_COLOR_FORMAT_RGBA;
    expect_equal_events(form, "format=RGB");
    form.format = NVBUF_COLOR_FORMAT_NV12;
    expect_equal_events(form, "format=NV12,colorimetry=bt601,chroma-site=mpeg2");
    form.format = NVBUF_COLOR_FORMAT_NV12_709;
    expect_equal_events(form, "format=NV12,colorimetry=bt709,chroma-site=mpeg2");
}

// PAMTRI_TEST_BATCHES asks for more of them: a slope that takes long to show.
TEST(many_batches_leave_nothing_behind) {
    constexpr unsigned kSources = 2;
    const char* const given = std::getenv("PAMTRI_TEST_BATCHES");
    const int batches = given != nullptr ? std::max(600, std::atoi(given)) : 600;
    const int warming = batches / 4;
    const test::Surfaces surfaces = painted(kSources);
    Pipeline pipeline(kSync + "max-views=2 expiry=200 messages=changes post-messages=false",
                      kFrames);
    long after_warming = 0;
    for (int number = 0; number < batches; ++number) {
        Batch batch = test::new_batch();
        for (unsigned source = 0; source < kSources; ++source) {
            NvDsFrameMeta* frame = test::add_frame(batch.get(), source, number);
            test::add_object(frame, static_cast<guint64>(number / 100), kLeft);
            test::add_object(frame, 1000000 + static_cast<guint64>(number / 70), kRight);
        }
        pipeline.through(std::move(batch), surfaces.get());
        device::clear_journal();
        if (number == warming) after_warming = resident_kb();
    }
    EXPECT(device::live().memories < 8);
    // A quarter of a kilobyte a batch.
    EXPECT(resident_kb() - after_warming < (batches - warming) * (is_watched() ? 25 : 0.25));
    pipeline.send(gst_event_new_eos());
    EXPECT(pipeline.stat("events") == kSources * ((batches + 99) / 100 + (batches + 69) / 70));
    EXPECT(nvds::counts().released > 6 * batches);
}
