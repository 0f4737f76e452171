// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <thread>
#include <tuple>
#include <utility>

#include "fake_cuda/device.hpp"
#include "fake_network.hpp"
#include "fake_nvbuf.hpp"
#include "fake_nvds.hpp"
#include "scene.hpp"
#include "vehicle_user_meta.h"

using test::Batch;
using test::Buffer;
using test::expect_in;
using test::Form;
using test::kFrames;
using test::kLeft;
using test::kSync;
using test::object_in;
using test::painted;
using test::Pipeline;
using test::refusal;
using test::with_vehicle;

namespace {

/// Push a vehicle on a batch that cannot be used; the error that stops the pipeline.
std::string failure(const Form& form, const std::function<void(NvBufSurface*)>& damage = {}) {
    const test::Surfaces surfaces = test::new_surfaces(1, form);
    Pipeline pipeline(kSync);
    if (damage) damage(surfaces.get());
    EXPECT(pipeline.push(with_vehicle(0), surfaces.get()) == GST_FLOW_ERROR);
    return pipeline.errors();
}

}  // namespace

TEST(what_cannot_be_read_stops_the_pipeline_with_one_sentence) {
    Form form = kFrames;
    form.format = NVBUF_COLOR_FORMAT_NV21;
    expect_in(failure(form), "color format NV21 (number 8); NV12 and RGBA are read");
    form = kFrames;
    form.gpu = 2;
    expect_in(failure(form), "lie on GPU 2, and gpu-id is 0");
    form = kFrames;
    form.memory = NVBUF_MEM_SURFACE_ARRAY;
    expect_in(failure(form, [](NvBufSurface*) { nvbuf::fail("NvBufSurfaceMapEglImage"); }),
              "NvBufSurfaceMapEglImage failed");
    expect_in(failure(kFrames, [](NvBufSurface* one) { one->numFilled = 0; }),
              "a frame at place 0 of a batch that has 0");
    const test::Surfaces surfaces = painted(1);
    Pipeline pipeline(kSync, kFrames);
    Buffer bare(gst_buffer_new_allocate(nullptr, 16, nullptr));
    EXPECT(gst_harness_push(pipeline.harness(), bare.release()) == GST_FLOW_ERROR);
    expect_in(pipeline.errors(), "no metadata of a batch; nvpamtri stands behind nvstreammux");
}

TEST(a_network_that_fails_stops_the_pipeline_with_its_sentence) {
    const test::Surfaces surfaces = painted(1);
    Pipeline pipeline("nvpamtri bundle=broken sync=true min-side=8 max-wait=0 batch=1", kFrames);
    EXPECT(pipeline.push(with_vehicle(0), surfaces.get()) == GST_FLOW_ERROR);
    expect_in(pipeline.errors(), "the engine fell over; restart the pipeline.");
}

TEST(a_gpu_that_runs_out_of_memory_says_what_it_was_for) {
    const test::Surfaces surfaces = painted(1);
    Pipeline pipeline(kSync, kFrames);
    pipeline.through(test::new_batch(), surfaces.get());
    device::fail("cudaMalloc", cudaErrorMemoryAllocation);
    EXPECT(pipeline.push(with_vehicle(0), surfaces.get()) == GST_FLOW_ERROR);
    expect_in(pipeline.errors(), "reserving memory for details");
}

TEST(pools_that_are_exhausted_are_counted_and_the_stream_goes_on) {
    const test::Surfaces surfaces = painted(1);
    Pipeline pipeline(kSync + "max-wait=0 batch=1", kFrames);
    nvds::set_left({1, 1, 1});
    const Buffer out = pipeline.through(with_vehicle(0), surfaces.get());
    EXPECT(pipeline.stat("lost") == 2);
    EXPECT(pamtri_vehicle_of(object_in(out)) != nullptr);
    nvds::set_left({});
    pipeline.through(with_vehicle(1), surfaces.get());
    EXPECT(pipeline.stat("lost") == 2);
}

TEST(an_engine_of_another_gpu_is_refused_on_the_bus_with_its_reason) {
    const test::Surfaces surfaces = painted(1);
    Pipeline pipeline("nvpamtri bundle=elsewhere gpu-id=1 sync=true", kFrames);
    EXPECT(pipeline.push(with_vehicle(0), surfaces.get()) == GST_FLOW_ERROR);
    expect_in(pipeline.errors(),
              "elsewhere has no engine of model.onnx for this machine (cuda:1): a.engine: the GPU "
              "was 'A', is 'B'.");
    const auto progress = pipeline.progress();
    EXPECT(progress.size() == 2);
    expect_in(progress[0], "Loading elsewhere on GPU 1");
}

TEST(frames_pass_while_the_engine_is_loaded_and_are_counted) {
    const test::Surfaces surfaces = painted(1);
    test::hold_loading(true);
    Pipeline pipeline("nvpamtri bundle=fake min-side=8", kFrames);
    for (int number = 0; number < 3; ++number)
        EXPECT(pamtri_vehicle_of(
                   object_in(pipeline.through(with_vehicle(number), surfaces.get()))) == nullptr);
    EXPECT(pipeline.stat("unready") == 3 && pipeline.stat("frames") == 0);
    test::hold_loading(false);
    for (int number = 3; pipeline.stat("frames") == 0 && number < 2000; ++number) {
        pipeline.through(with_vehicle(number), surfaces.get());
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT(pipeline.stat("frames") > 0);
    const auto progress = pipeline.progress();
    EXPECT(progress.size() == 2);
    expect_in(progress[1], "fake runs on GPU 0 (fake, fake)");
    pipeline.send(gst_event_new_eos());
    EXPECT(pipeline.events().size() == 1);
}

TEST(an_element_that_waits_for_its_engine_can_be_stopped) {
    const test::Surfaces surfaces = painted(1);
    test::hold_loading(true);
    Pipeline pipeline(kSync, kFrames);
    std::thread pushing([&] { pipeline.push(with_vehicle(0), surfaces.get()); });
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    std::thread stopping([&] { gst_element_set_state(pipeline.element(), GST_STATE_NULL); });
    pushing.join();
    test::hold_loading(false);
    stopping.join();
}

TEST(an_element_can_be_stopped_and_played_again) {
    const test::Surfaces surfaces = painted(1);
    Pipeline pipeline(kSync + "max-wait=0 batch=1", kFrames);
    pipeline.through(with_vehicle(0), surfaces.get());
    gst_element_set_state(pipeline.element(), GST_STATE_NULL);
    EXPECT(pipeline.events().size() == 1);
    EXPECT(test::networks().open == 0);
    gst_element_set_state(pipeline.element(), GST_STATE_PLAYING);
    EXPECT(pipeline.stat("frames") == 0);
}

TEST(settings_that_cannot_be_used_are_refused_at_the_start) {
    expect_in(refusal("nvpamtri"), "The property bundle is not set");
    expect_in(refusal("nvpamtri bundle=fake start-utc=yesterday"), "start-utc is 'yesterday'");
    expect_in(refusal("nvpamtri bundle=fake config-file=/nowhere/x.txt"),
              "/nowhere/x.txt cannot be read as a configuration");
}

TEST(a_configuration_sets_properties_and_refuses_what_is_none) {
    char name[] = "/tmp/nvpamtri-XXXXXX";
    const int file = mkstemp(name);
    EXPECT(file >= 0);
    close(file);
    const std::string path = name;
    const auto write = [&](const std::string& text) { std::ofstream(path) << text; };
    write(
        "# of a test\n[pamtri]\nbundle=fake\nsync=true\nreid-meta=keep\ncamera=north east\n"
        "expiry=1500\nunique-id=12\n");
    {
        Pipeline pipeline("nvpamtri config-file=" + path, kFrames);
        gint reid = -1;
        guint expiry = 0, unique = 0;
        gchar* camera = nullptr;
        g_object_get(pipeline.element(), "reid-meta", &reid, "expiry", &expiry, "unique-id",
                     &unique, "camera", &camera, nullptr);
        EXPECT(reid == 1 && expiry == 1500 && unique == 12);
        EXPECT(std::string(camera) == "north east");
        g_free(camera);
    }
    const std::string line = "nvpamtri bundle=fake config-file=" + path;
    write("[pamtri]\nmin-sides=20\n");
    expect_in(refusal(line), "has the key 'min-sides', which is no property; there are: bundle,");
    write("[pamtri]\nmin-side=large\n");
    expect_in(refusal(line), "has min-side=large, which the property does not take");
    write("[pamtri]\nmin-side=0\n");
    expect_in(refusal(line), "has min-side=0, which");
    write("[pamtri]\nreid-meta=never\n");
    expect_in(refusal(line), "has reid-meta=never");
    write("[property]\nbundle=fake\n");
    expect_in(refusal(line), "has no group [pamtri]");
    write("[pamtri]\nqos=true\n");
    expect_in(refusal(line), "'qos'");
    unlink(name);
}

TEST(objects_are_chosen_by_label_number_and_engine) {
    const test::Surfaces surfaces = painted(1);
    Pipeline pipeline(kSync + "max-wait=0 batch=1 classes=car,2 operate-on-gie-id=1", kFrames);
    Batch batch = test::new_batch();
    NvDsFrameMeta* frame = test::add_frame(batch.get(), 0, 0);
    int id = 0;
    for (const auto& [label, number, engine] :
         {std::tuple{"car", 0, 1}, std::tuple{"bus", 2, 1}, std::tuple{"person", 3, 1},
          std::tuple{"car", 0, 4}}) {
        NvDsObjectMeta* object = test::add_object(frame, static_cast<guint64>(id),
                                                  {22.0 * id + 3, 8, 22.0 * id + 22, 50}, label);
        object->class_id = number;
        ++id;
        object->unique_component_id = engine;
    }
    const Buffer out = pipeline.through(std::move(batch), surfaces.get());
    for (const auto& [object, known] : {std::pair{0u, true}, {1u, true}, {2u, false}, {3u, false}})
        EXPECT((pamtri_vehicle_of(object_in(out, 0, object)) != nullptr) == known);
}
