// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Elements of either plugin under GStreamer's harness, with the bus that they tell their messages.
#pragma once

#include <string>
#include <vector>

#include "gst_owners.hpp"

namespace test {

/// A harness around a launch line, in which messages of the bus can be read.
class Line {
  public:
    Line(const std::string& launch, const std::string& caps);
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;
    ~Line();

    GstHarness* harness() const { return harness_.get(); }
    GstElement* element() const { return element_; }
    guint64 stat(const char* name) const { return test::stat(element_, name); }
    bool send(GstEvent* event) { return gst_harness_push_event(harness_.get(), event); }

    /// The texts of errors, and of progress, since the last call.
    std::string errors();
    std::vector<std::string> progress();

    /// The events on the bus since the last call, as JSON.
    std::vector<std::string> events();

    /// The element messages of an engine's building since the last call, as text.
    std::vector<std::string> builds();

  private:
    std::vector<std::string> texts(GstMessageType type);

    Harness harness_;
    GstElement* element_;
    GstBus* bus_;
    std::vector<GstMessage*> messages_;
    std::vector<std::string> builds_;
};

/// Wait until so much of progress was told; all of it.
std::vector<std::string> progress(Line& line, std::size_t count);

/// Start an element on its own; the error that it refuses its settings with.
std::string refusal(const std::string& launch);

void expect_in(const std::string& text, const std::string& part);

}  // namespace test
