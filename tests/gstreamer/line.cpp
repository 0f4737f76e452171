// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "line.hpp"

#include <chrono>
#include <thread>
#include <utility>

namespace test {

Line::Line(const std::string& launch, const std::string& caps) {
    initialize();
    GError* error = nullptr;
    GstElement* made = gst_parse_launch(launch.c_str(), &error);
    if (error) fail(__FILE__, __LINE__, error->message);
    bus_ = gst_bus_new();
    gst_element_set_bus(made, bus_);
    element_ = made;
    harness_.reset(gst_harness_new_with_element(made, "sink", "src"));
    gst_object_unref(made);
    gst_harness_set_src_caps_str(harness_.get(), caps.c_str());
}

Line::~Line() {
    harness_.reset();
    errors();
    for (GstMessage* message : messages_) gst_message_unref(message);
    gst_bus_set_flushing(bus_, TRUE);
    gst_object_unref(bus_);
}

std::vector<std::string> Line::texts(GstMessageType type) {
    while (GstMessage* message = gst_bus_pop(bus_)) messages_.push_back(message);
    std::vector<std::string> found;
    std::vector<GstMessage*> others;
    for (GstMessage* message : messages_) {
        if (GST_MESSAGE_TYPE(message) != type) {
            others.push_back(message);
            continue;
        }
        if (type == GST_MESSAGE_ERROR) {
            GError* error = nullptr;
            gst_message_parse_error(message, &error, nullptr);
            found.emplace_back(error->message);
            g_error_free(error);
        } else if (type == GST_MESSAGE_PROGRESS) {
            GstProgressType kind;
            gchar *code = nullptr, *text = nullptr;
            gst_message_parse_progress(message, &kind, &code, &text);
            found.push_back(std::to_string(kind) + " " + code + " " + text);
            g_free(code);
            g_free(text);
        } else if (const GstStructure* structure = gst_message_get_structure(message);
                   structure && gst_structure_has_name(structure, "pamtri-event")) {
            found.emplace_back(gst_structure_get_string(structure, "json"));
        } else if (structure && gst_structure_has_name(structure, "pamtri-engine")) {
            gchar* text = gst_structure_to_string(structure);
            builds_.emplace_back(text);
            g_free(text);
        }
        gst_message_unref(message);
    }
    messages_ = std::move(others);
    return found;
}

std::string Line::errors() {
    std::string all;
    for (const std::string& text : texts(GST_MESSAGE_ERROR)) all += text + "\n";
    return all;
}

std::vector<std::string> Line::progress() { return texts(GST_MESSAGE_PROGRESS); }

std::vector<std::string> Line::builds() {
    const std::vector<std::string> before = events();
    if (!before.empty()) fail(__FILE__, __LINE__, "an event would be lost: " + before.front());
    return std::exchange(builds_, {});
}

std::vector<std::string> Line::events() { return texts(GST_MESSAGE_ELEMENT); }

std::vector<std::string> progress(Line& line, std::size_t count) {
    std::vector<std::string> told;
    for (int turn = 0; turn < 2000 && told.size() < count; ++turn) {
        for (const std::string& text : line.progress()) told.push_back(text);
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    EXPECT(told.size() >= count);
    return told;
}

std::string refusal(const std::string& launch) {
    initialize();
    GstElement* element = gst_parse_launch(launch.c_str(), nullptr);
    GstBus* bus = gst_bus_new();
    gst_element_set_bus(element, bus);
    const GstStateChangeReturn changed = gst_element_set_state(element, GST_STATE_PAUSED);
    std::string text;
    if (GstMessage* message = gst_bus_timed_pop_filtered(bus, 5 * GST_SECOND, GST_MESSAGE_ERROR)) {
        GError* error = nullptr;
        gst_message_parse_error(message, &error, nullptr);
        text = error->message;
        g_error_free(error);
        gst_message_unref(message);
    }
    EXPECT(changed == GST_STATE_CHANGE_FAILURE || !text.empty());
    gst_element_set_state(element, GST_STATE_NULL);
    gst_bus_set_flushing(bus, TRUE);  // messages on it hold the element, which holds the bus
    gst_object_unref(element);
    gst_object_unref(bus);
    return text;
}

void expect_in(const std::string& text, const std::string& part) {
    if (text.find(part) == std::string::npos)
        test::fail(__FILE__, __LINE__, "'" + part + "' is not in: " + text);
}

}  // namespace test
