// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/video/video.h>

#include <string>
#include <vector>

#include "gst_owners.hpp"
#include "vehicle_meta.hpp"

namespace test {

/// A harness around a launch line, fed with frames of these caps.
Harness harness(const std::string& launch, const std::string& caps);

/// A gray frame of these caps, at a time in milliseconds.
Buffer frame(const std::string& caps, int time_ms = 0);

/// Push a frame through and take what comes out.
Buffer through(GstHarness* harness, Buffer buffer);

std::vector<pamtri::gst::Vehicle> vehicles(GstBuffer* buffer);

constexpr char kRgb[] = "video/x-raw,format=RGB,width=320,height=240,framerate=25/1";

}  // namespace test
