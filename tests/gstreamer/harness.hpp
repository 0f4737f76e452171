// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/check/gstharness.h>
#include <gst/gst.h>
#include <gst/video/video.h>

#include <memory>
#include <string>
#include <vector>

#include "check.hpp"
#include "vehicle_meta.hpp"

namespace test {

struct Teardown {
    void operator()(GstHarness* harness) const { gst_harness_teardown(harness); }
    void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
};
using Harness = std::unique_ptr<GstHarness, Teardown>;
using Buffer = std::unique_ptr<GstBuffer, Teardown>;

/// Start GStreamer with the elements; once is enough.
void initialize();

/// A harness around a launch line, fed with frames of these caps.
Harness harness(const std::string& launch, const std::string& caps);

/// A gray frame of these caps, at a time in milliseconds.
Buffer frame(const std::string& caps, int time_ms = 0);

/// Push a frame through and take what comes out.
Buffer through(GstHarness* harness, Buffer buffer);

std::vector<pamtri::gst::Vehicle> vehicles(GstBuffer* buffer);

/// A count of those that an element keeps.
guint64 stat(GstElement* element, const char* name);

constexpr char kRgb[] = "video/x-raw,format=RGB,width=320,height=240,framerate=25/1";

}  // namespace test
