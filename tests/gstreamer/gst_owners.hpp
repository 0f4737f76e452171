// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What tests of every plugin hold of GStreamer, and the counts that an element keeps.
#pragma once

#include <gst/check/gstharness.h>
#include <gst/gst.h>

#include <memory>

#include "check.hpp"

namespace test {

/// Start GStreamer with the elements, once; each program has its own.
void initialize();

struct Teardown {
    void operator()(GstHarness* harness) const { gst_harness_teardown(harness); }
    void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
};
using Harness = std::unique_ptr<GstHarness, Teardown>;
using Buffer = std::unique_ptr<GstBuffer, Teardown>;

/// A count of those that an element keeps.
inline guint64 stat(GstElement* element, const char* name) {
    GstStructure* stats = nullptr;
    g_object_get(element, "stats", &stats, nullptr);
    guint64 value = 0;
    EXPECT(gst_structure_get_uint64(stats, name, &value));
    gst_structure_free(stats);
    return value;
}

}  // namespace test
