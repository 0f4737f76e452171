// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Elements under GStreamer's harness, fed with batches of fake surfaces.
#pragma once

#include <string>
#include <vector>

#include "../gstreamer/gst_owners.hpp"
#include "batches.hpp"
#include "event.hpp"
#include "frames.hpp"

namespace test {

/// A harness around a launch line, in which messages of the bus can be read.
class Pipeline {
  public:
    explicit Pipeline(const std::string& launch, const Form& form = {});
    ~Pipeline();

    GstHarness* harness() { return harness_.get(); }
    GstElement* element() { return element_; }

    /// Push a batch on surfaces, which outlive what comes out; take what comes out.
    Buffer through(Batch batch, NvBufSurface* surfaces);

    /// Push a batch that something else holds as well; null where nothing comes out.
    GstFlowReturn push(Batch batch, NvBufSurface* surfaces, Buffer* kept = nullptr);

    bool send(GstEvent* event) { return gst_harness_push_event(harness_.get(), event); }

    /// The texts of errors, and of progress, since the last call.
    std::string errors();
    std::vector<std::string> progress();

    /// The events on the bus since the last call, as JSON.
    std::vector<std::string> events();

    /// The element messages of an engine's building since the last call, as text.
    std::vector<std::string> builds();

    guint64 stat(const char* name) { return test::stat(element_, name); }

  private:
    std::vector<std::string> texts(GstMessageType type);

    Harness harness_;
    GstElement* element_;
    GstBus* bus_;
    std::vector<GstMessage*> messages_;
    std::vector<std::string> builds_;
};

/// A buffer as a muxer makes it.
Buffer buffer_of(Batch batch, NvBufSurface* surfaces);

const NvDsBatchMeta* batch_of(const Buffer& buffer);

std::string caps_of(const Form& form);

/// Start an element on its own; the error that it refuses its settings with.
std::string refusal(const std::string& launch);

void expect_in(const std::string& text, const std::string& part);

}  // namespace test
