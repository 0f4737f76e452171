// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// nvpamtri while its engine is built: frames pass, the bus is told, and who stops it waits no
// longer than a step.
#include <chrono>
#include <thread>

#include "fake_network.hpp"
#include "scene.hpp"
#include "vehicle_user_meta.h"

using test::expect_in;
using test::kFrames;
using test::object_in;
using test::painted;
using test::Pipeline;
using test::progress;
using test::with_vehicle;

namespace {

const std::string kUnbuilt = "nvpamtri bundle=unbuilt min-side=8 ";

/// Push frames until one of them is described.
void push_until_described(Pipeline& pipeline, NvBufSurface* surfaces) {
    for (int number = 0; pipeline.stat("frames") == 0 && number < 2000; ++number) {
        pipeline.through(with_vehicle(number), surfaces);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT(pipeline.stat("frames") > 0);
}

/// Two elements of one bundle: the first is held while it builds the engine, the second waits for
/// it.
struct TwoOfOneBundle {
    bool held = (test::hold_loading(true), true);
    Pipeline first{kUnbuilt, kFrames};
    std::vector<std::string> first_told = progress(first, 4);
    Pipeline second{kUnbuilt, kFrames};
    std::vector<std::string> second_told = progress(second, 2);
};

}  // namespace

TEST(frames_pass_while_an_engine_is_built_and_the_bus_is_told_how_far_it_is) {
    const test::Surfaces surfaces = painted(1);
    test::hold_loading(true);
    Pipeline pipeline(kUnbuilt, kFrames);
    const auto begun = progress(pipeline, 4);
    for (int number = 0; number < 3; ++number)
        EXPECT(pamtri_vehicle_of(
                   object_in(pipeline.through(with_vehicle(number), surfaces.get()))) == nullptr);
    EXPECT(pipeline.stat("unready") == 3 && pipeline.stat("frames") == 0);
    expect_in(begun[0], "0 pamtri-engine Loading unbuilt on GPU 0");
    expect_in(begun[1], "1 pamtri-engine Building the engine of unbuilt: 0 % (Timing tactics)");
    expect_in(begun[3], "unbuilt: 50 %");
    const auto builds = pipeline.builds();
    EXPECT(builds.size() == 3);
    for (const char* part : {"bundle=(string)unbuilt", "phase=(string)\"Timing\\ tactics\"",
                             "done=(int)2", "total=(int)4", "percent=(double)50"})
        expect_in(builds[2], part);
    test::hold_loading(false);
    push_until_described(pipeline, surfaces.get());
    expect_in(progress(pipeline, 2).back(), "2 pamtri-engine unbuilt runs on GPU 0 (fake, fake)");
}

TEST(with_sync_the_first_frame_waits_for_the_engine) {
    const test::Surfaces surfaces = painted(1);
    Pipeline pipeline(kUnbuilt + "sync=true max-wait=0 batch=1", kFrames);
    const auto out = pipeline.through(with_vehicle(0), surfaces.get());
    EXPECT(pamtri_vehicle_of(object_in(out)) != nullptr);
    EXPECT(pipeline.stat("unready") == 0);
}

TEST(an_element_that_is_stopped_ends_the_build_and_can_be_played_again) {
    const test::Surfaces surfaces = painted(1);
    const int before = test::networks().built;
    test::hold_loading(true);
    Pipeline pipeline(kUnbuilt, kFrames);
    progress(pipeline, 4);
    gst_element_set_state(pipeline.element(), GST_STATE_NULL);
    expect_in(progress(pipeline, 1).back(), "3 pamtri-engine The engine of unbuilt is not built");
    EXPECT(pipeline.errors().empty());
    EXPECT(test::networks().built == before && test::networks().open == 0);
    test::hold_loading(false);
    gst_element_set_state(pipeline.element(), GST_STATE_PLAYING);
    push_until_described(pipeline, surfaces.get());
    EXPECT(test::networks().built == before + 1);
}

TEST(without_leave_to_build_a_missing_engine_is_an_error) {
    expect_in(test::refusal(kUnbuilt + "build-engine=false"),
              "there is no engine, and none may be built");
}

TEST(of_two_elements_one_builds_and_both_tell_of_it) {
    const test::Surfaces surfaces = painted(1);
    const int before = test::networks().built;
    TwoOfOneBundle two;
    expect_in(two.second_told.back(), "Building the engine of unbuilt: 50 %");
    test::hold_loading(false);
    push_until_described(two.first, surfaces.get());
    push_until_described(two.second, surfaces.get());
    EXPECT(test::networks().built == before + 1 && test::networks().open == 1);
}

TEST(where_the_element_that_builds_is_stopped_the_next_one_builds) {
    const test::Surfaces surfaces = painted(1);
    const int before = test::networks().built;
    TwoOfOneBundle two;
    gst_element_set_state(two.first.element(), GST_STATE_NULL);
    test::hold_loading(false);
    push_until_described(two.second, surfaces.get());
    EXPECT(test::networks().built == before + 1);
    EXPECT(two.second.errors().empty());
}

TEST(an_element_that_waits_for_anothers_build_can_be_stopped) {
    TwoOfOneBundle two;
    gst_element_set_state(two.second.element(), GST_STATE_NULL);
    expect_in(progress(two.second, 1).back(), "is not built, for the element was stopped");
    test::hold_loading(false);
}
