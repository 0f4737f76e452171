// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "harness.hpp"

#include "elements.hpp"

namespace test {

void initialize() {
    static const bool once = [] {
        gst_init(nullptr, nullptr);
        pamtri::gst::register_elements(nullptr);
        return true;
    }();
    static_cast<void>(once);
}

void afterwards() {}

Harness harness(const std::string& launch, const std::string& caps) {
    initialize();
    Harness made(gst_harness_new_parse(launch.c_str()));
    EXPECT(made != nullptr);
    gst_harness_set_src_caps_str(made.get(), caps.c_str());
    return made;
}

Buffer frame(const std::string& caps, int time_ms) {
    initialize();
    GstCaps* parsed = gst_caps_from_string(caps.c_str());
    GstVideoInfo info;
    EXPECT(gst_video_info_from_caps(&info, parsed));
    gst_caps_unref(parsed);
    Buffer buffer(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr));
    gst_buffer_memset(buffer.get(), 0, 128, GST_VIDEO_INFO_SIZE(&info));
    GST_BUFFER_PTS(buffer.get()) = static_cast<GstClockTime>(time_ms) * GST_MSECOND;
    GST_BUFFER_DURATION(buffer.get()) = 40 * GST_MSECOND;
    return buffer;
}

Buffer through(GstHarness* harness, Buffer buffer) {
    EXPECT(gst_harness_push(harness, buffer.release()) == GST_FLOW_OK);
    Buffer out(gst_harness_pull(harness));
    EXPECT(out != nullptr);
    return out;
}

std::vector<pamtri::gst::Vehicle> vehicles(GstBuffer* buffer) {
    std::vector<pamtri::gst::Vehicle> found;
    for (const pamtri::gst::Vehicle* vehicle : pamtri::gst::vehicles_of(buffer))
        found.push_back(*vehicle);
    return found;
}

}  // namespace test
