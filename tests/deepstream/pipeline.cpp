// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "pipeline.hpp"

#include <gstnvdsmeta.h>

#include <utility>

#include "nvpamtri_element.hpp"

namespace test {

namespace {

void initialize() {
    static const bool ready = [] {
        gst_init(nullptr, nullptr);
        return pamtri::deepstream::register_element(nullptr);
    }();
    EXPECT(ready);
}

}  // namespace

std::string caps_of(const Form& form) {
    const bool rgba = form.format == NVBUF_COLOR_FORMAT_RGBA;
    return std::string("video/x-raw(memory:NVMM), format=") + (rgba ? "RGBA" : "NV12") +
           ", width=" + std::to_string(form.width) + ", height=" + std::to_string(form.height) +
           ", framerate=25/1";
}

Buffer buffer_of(Batch batch, NvBufSurface* surfaces) {
    Buffer buffer(gst_buffer_new_wrapped_full(GST_MEMORY_FLAG_READONLY, surfaces,
                                              sizeof(NvBufSurface), 0, sizeof(NvBufSurface),
                                              nullptr, nullptr));
    NvDsMeta* meta =
        gst_buffer_add_nvds_meta(buffer.get(), batch.release(), nullptr, nvds_batch_meta_copy_func,
                                 nvds_batch_meta_release_func);
    meta->meta_type = NVDS_BATCH_GST_META;
    return buffer;
}

const NvDsBatchMeta* batch_of(const Buffer& buffer) {
    return gst_buffer_get_nvds_batch_meta(buffer.get());
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

Pipeline::Pipeline(const std::string& launch, const Form& form) {
    initialize();
    GError* error = nullptr;
    GstElement* made = gst_parse_launch(launch.c_str(), &error);
    if (error) fail(__FILE__, __LINE__, error->message);
    bus_ = gst_bus_new();
    gst_element_set_bus(made, bus_);
    element_ = made;
    harness_.reset(gst_harness_new_with_element(made, "sink", "src"));
    gst_object_unref(made);
    gst_harness_set_src_caps_str(harness_.get(), caps_of(form).c_str());
}

Pipeline::~Pipeline() {
    harness_.reset();
    errors();
    for (GstMessage* message : messages_) gst_message_unref(message);
    gst_bus_set_flushing(bus_, TRUE);
    gst_object_unref(bus_);
}

GstFlowReturn Pipeline::push(Batch batch, NvBufSurface* surfaces, Buffer* kept) {
    Buffer buffer = buffer_of(std::move(batch), surfaces);
    if (kept) kept->reset(gst_buffer_ref(buffer.get()));
    return gst_harness_push(harness_.get(), buffer.release());
}

Buffer Pipeline::through(Batch batch, NvBufSurface* surfaces) {
    const GstFlowReturn flow = push(std::move(batch), surfaces);
    if (flow != GST_FLOW_OK) fail(__FILE__, __LINE__, "nothing comes out: " + errors());
    return Buffer(gst_harness_pull(harness_.get()));
}

std::vector<std::string> Pipeline::texts(GstMessageType type) {
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

std::string Pipeline::errors() {
    std::string all;
    for (const std::string& text : texts(GST_MESSAGE_ERROR)) all += text + "\n";
    return all;
}

std::vector<std::string> Pipeline::progress() { return texts(GST_MESSAGE_PROGRESS); }

std::vector<std::string> Pipeline::builds() {
    const std::vector<std::string> before = events();
    if (!before.empty()) fail(__FILE__, __LINE__, "an event would be lost: " + before.front());
    return std::exchange(builds_, {});
}

std::vector<std::string> Pipeline::events() { return texts(GST_MESSAGE_ELEMENT); }

}  // namespace test
