// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// pamtridraw: draws the vehicles that pamtri has described into the frames.
#include <gst/base/gstbasetransform.h>
#include <gst/video/video.h>

#include <memory>
#include <utility>

#include "draw_vehicles.hpp"
#include "elements.hpp"
#include "properties.hpp"
#include "transform_class.hpp"
#include "video_frame.hpp"

GST_DEBUG_CATEGORY_STATIC(pamtri_draw_debug);
#define GST_CAT_DEFAULT pamtri_draw_debug

namespace pamtri::gst {

enum { kShow = 1, kLineWidth, kTextHeight };

// In the namespace of DrawSpec, where templates look for them.
static const Members<DrawSpec> kMembers = {{kShow, &DrawSpec::show},
                                           {kLineWidth, &DrawSpec::line_width},
                                           {kTextHeight, &DrawSpec::text_height}};

static bool set_setting(DrawSpec* settings, guint id, const GValue* value) {
    return set_member(kMembers, settings, id, value);
}

static bool get_setting(const DrawSpec& settings, guint id, GValue* value) {
    return get_member(kMembers, settings, id, value);
}

namespace {

struct State {
    DrawSpec settings;  // under the object's lock
    GstVideoInfo info;  // of the streaming thread
};

using PamtriDraw = Transform<State>;
using PamtriDrawClass = TransformClass;

G_DEFINE_TYPE(PamtriDraw, pamtri_draw, GST_TYPE_BASE_TRANSFORM)

State& state_of(gpointer element) { return gst::state_of<State>(element); }

GType show_type() {
    static const GFlagsValue values[] = {
        {kShowBoxes, "the box of each vehicle, in the color of its track", "boxes"},
        {kShowLabels, "number, color and type of each vehicle, with their probabilities", "labels"},
        {kShowKeypoints, "the keypoints that are sure: left side blue, right side orange",
         "keypoints"},
        {kShowSegments, "outlines of the vehicle's surfaces between them", "segments"},
        {0, nullptr, nullptr}};
    static const GType type = g_flags_register_static("PamtriDrawShow", values);
    return type;
}

gboolean set_caps(GstBaseTransform* base, GstCaps* caps, GstCaps*) {
    return read_form(caps, &state_of(base).info);
}

/// A frame on which there is nothing to draw passes as it is: others may hold it, no copy is made.
void before_transform(GstBaseTransform* base, GstBuffer* buffer) {
    const bool draws =
        settings_of<State>(base).show != 0 && pamtri_buffer_vehicle_count(buffer) > 0;
    gst_base_transform_set_passthrough(base, !draws);
}

GstFlowReturn transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
    const std::vector<const Vehicle*> vehicles = vehicles_of(buffer);
    if (gst_base_transform_is_passthrough(base) || vehicles.empty()) return GST_FLOW_OK;
    GstVideoFrame frame;
    const auto way = static_cast<GstMapFlags>(GST_MAP_READWRITE | GST_VIDEO_FRAME_MAP_FLAG_NO_REF);
    if (!gst_video_frame_map(&frame, &state_of(base).info, buffer, way)) {
        GST_ELEMENT_ERROR(base, STREAM, FORMAT,
                          ("A frame's pixels cannot be written: it is smaller than its caps say, "
                           "or its memory is read only."),
                          (nullptr));
        return GST_FLOW_ERROR;
    }
    const std::unique_ptr<GstVideoFrame, void (*)(GstVideoFrame*)> mapped(&frame,
                                                                          gst_video_frame_unmap);
    Canvas canvas(frame);
    draw(&canvas, vehicles, settings_of<State>(base));
    GST_LOG_OBJECT(base, "drew %zu vehicles", vehicles.size());
    return GST_FLOW_OK;
}

void pamtri_draw_init(PamtriDraw* self) {
    initialize(self);
    gst_video_info_init(&self->state->info);
}

void install_properties(GObjectClass* object) {
    const DrawSpec spec;
    g_object_class_install_property(
        object, kShow,
        g_param_spec_flags("show", "Show", "What is drawn of each vehicle, such as boxes+labels",
                           show_type(), spec.show, kPlaying));
    g_object_class_install_property(
        object, kLineWidth,
        g_param_spec_uint("line-width", "Line width",
                          "Pixels that lines are wide; 0 for a width that fits the frame", 0, 100,
                          spec.line_width, kPlaying));
    g_object_class_install_property(
        object, kTextHeight,
        g_param_spec_uint(
            "text-height", "Text height",
            "Pixels that capital letters are high; 0 for a height that fits the frame", 0, 500,
            spec.text_height, kPlaying));
}

void pamtri_draw_class_init(PamtriDrawClass* type) {
    GST_DEBUG_CATEGORY_INIT(pamtri_draw_debug, "pamtridraw", 0, "drawing of vehicles");
    GstBaseTransformClass* base = GST_BASE_TRANSFORM_CLASS(type);
    set_up_in_place<State>(base, {"Drawing of vehicles",
                                  "Draws what pamtri knows of vehicles into the frames: boxes, "
                                  "labels, keypoints, segments",
                                  "video/x-raw, format = " PAMTRI_FORMATS, "Filter/Editor/Video"});
    install_properties(G_OBJECT_CLASS(type));
    base->set_caps = set_caps;
    base->before_transform = before_transform;
    base->transform_ip = transform_ip;
    base->transform_ip_on_passthrough = FALSE;
}

}  // namespace

GType draw_element_type() { return pamtri_draw_get_type(); }

}  // namespace pamtri::gst
