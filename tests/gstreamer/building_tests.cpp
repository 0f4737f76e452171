// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// pamtri while its engine is built, which takes minutes: it starts at once, and frames pass.
#include <chrono>
#include <string>
#include <thread>

#include "fake_network.hpp"
#include "harness.hpp"
#include "line.hpp"

using namespace test;

namespace {

const std::string kUnbuilt = "pamtri bundle=unbuilt min-side=8 ";

/// A line whose engine is held while it is built.
struct Held : Line {
    explicit Held(const std::string& more = "")
        : Line((hold_loading(true), kUnbuilt + more), kRgb) {}
    ~Held() { hold_loading(false); }

    std::vector<std::string> begun = test::progress(*this, 4);
};

}  // namespace

TEST(an_engine_is_built_beside_the_frames_and_then_used) {
    Held line;
    expect_in(line.begun[0], "Loading unbuilt on device auto");
    expect_in(line.begun[3], "50 %");
    through(line.harness(), frame(kRgb));
    EXPECT(line.stat("unready") == 1 && line.stat("frames") == 0);
    hold_loading(false);
    expect_in(progress(line, 2)[1], "unbuilt runs on device auto (fake, fake)");
    for (int number = 1; line.stat("frames") == 0 && number < 500; ++number)
        through(line.harness(), frame(kRgb, 40 * number));
    EXPECT(line.stat("frames") == 1);
}

TEST(an_element_that_is_stopped_ends_the_building) {
    const int before = networks().opened;
    Held line;
    gst_element_set_state(line.element(), GST_STATE_NULL);
    expect_in(progress(line, 1)[0], "is not built, for the element was stopped");
    EXPECT(networks().opened == before);
}

TEST(with_sync_a_frame_that_waits_for_the_engine_goes_when_the_element_is_stopped) {
    Held line("sync=true");
    std::thread pushing([&] { gst_harness_push(line.harness(), frame(kRgb).release()); });
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    gst_element_set_state(line.element(), GST_STATE_NULL);
    pushing.join();
}

TEST(without_leave_to_build_the_element_does_not_start) {
    expect_in(refusal(kUnbuilt + "build-engine=false"), "none may be built (build-engine=true)");
}
