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
#include "pads.hpp"
#include "video_frame.hpp"

GST_DEBUG_CATEGORY_STATIC(pamtri_draw_debug);
#define GST_CAT_DEFAULT pamtri_draw_debug

namespace pamtri::gst {

namespace {

struct PamtriDraw {
    GstBaseTransform base;
    DrawSpec spec;      // under the object's lock
    GstVideoInfo info;  // of the streaming thread
};
struct PamtriDrawClass {
    GstBaseTransformClass base;
};

enum { kShow = 1, kLineWidth, kTextHeight };

G_DEFINE_TYPE(PamtriDraw, pamtri_draw, GST_TYPE_BASE_TRANSFORM)

PamtriDraw* draw_of(gpointer object) { return static_cast<PamtriDraw*>(object); }

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

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
    DrawSpec& draws = draw_of(object)->spec;
    GST_OBJECT_LOCK(object);
    if (id == kShow)
        draws.show = g_value_get_flags(value);
    else if (id == kLineWidth || id == kTextHeight)
        (id == kLineWidth ? draws.line_width : draws.text_height) = g_value_get_uint(value);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    GST_OBJECT_UNLOCK(object);
}

DrawSpec spec_of(gpointer object) {
    GST_OBJECT_LOCK(object);
    const DrawSpec spec = draw_of(object)->spec;
    GST_OBJECT_UNLOCK(object);
    return spec;
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
    const DrawSpec draws = spec_of(object);
    if (id == kShow)
        g_value_set_flags(value, draws.show);
    else if (id == kLineWidth || id == kTextHeight)
        g_value_set_uint(value, id == kLineWidth ? draws.line_width : draws.text_height);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

gboolean set_caps(GstBaseTransform* base, GstCaps* caps, GstCaps*) {
    return read_form(caps, &draw_of(base)->info);
}

/// A frame on which there is nothing to draw passes as it is: others may hold it, no copy is made.
void before_transform(GstBaseTransform* base, GstBuffer* buffer) {
    const bool draws = spec_of(base).show != 0 && pamtri_buffer_vehicle_count(buffer) > 0;
    gst_base_transform_set_passthrough(base, !draws);
}

GstFlowReturn transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
    const std::vector<const Vehicle*> vehicles = vehicles_of(buffer);
    if (gst_base_transform_is_passthrough(base) || vehicles.empty()) return GST_FLOW_OK;
    GstVideoFrame frame;
    const auto way = static_cast<GstMapFlags>(GST_MAP_READWRITE | GST_VIDEO_FRAME_MAP_FLAG_NO_REF);
    if (!gst_video_frame_map(&frame, &draw_of(base)->info, buffer, way)) {
        GST_ELEMENT_ERROR(base, STREAM, FORMAT,
                          ("A frame's pixels cannot be written: it is smaller than its caps say, "
                           "or its memory is read only."),
                          (nullptr));
        return GST_FLOW_ERROR;
    }
    const std::unique_ptr<GstVideoFrame, void (*)(GstVideoFrame*)> mapped(&frame,
                                                                          gst_video_frame_unmap);
    Canvas canvas(frame);
    draw(&canvas, vehicles, spec_of(base));
    GST_LOG_OBJECT(base, "drew %zu vehicles", vehicles.size());
    return GST_FLOW_OK;
}

void pamtri_draw_init(PamtriDraw* self) {
    self->spec = DrawSpec{};
    gst_video_info_init(&self->info);
    gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
}

void install_properties(GObjectClass* object) {
    const DrawSpec spec;
    const auto flags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                GST_PARAM_MUTABLE_PLAYING);
    g_object_class_install_property(
        object, kShow,
        g_param_spec_flags("show", "Show", "What is drawn of each vehicle, such as boxes+labels",
                           show_type(), spec.show, flags));
    g_object_class_install_property(
        object, kLineWidth,
        g_param_spec_uint("line-width", "Line width",
                          "Pixels that lines are wide; 0 for a width that fits the frame", 0, 100,
                          spec.line_width, flags));
    g_object_class_install_property(
        object, kTextHeight,
        g_param_spec_uint(
            "text-height", "Text height",
            "Pixels that capital letters are high; 0 for a height that fits the frame", 0, 500,
            spec.text_height, flags));
}

void pamtri_draw_class_init(PamtriDrawClass* type) {
    GST_DEBUG_CATEGORY_INIT(pamtri_draw_debug, "pamtridraw", 0, "drawing of vehicles");
    GObjectClass* object = G_OBJECT_CLASS(type);
    object->set_property = set_property;
    object->get_property = get_property;
    install_properties(object);
    GstElementClass* element = GST_ELEMENT_CLASS(type);
    gst_element_class_set_static_metadata(
        element, "Drawing of vehicles", "Filter/Editor/Video",
        "Draws what pamtri knows of vehicles into the frames: boxes, labels, keypoints, segments",
        "The pamtri-edge authors");
    add_pads(element, "video/x-raw, format = " PAMTRI_FORMATS);
    GstBaseTransformClass* base = GST_BASE_TRANSFORM_CLASS(type);
    base->set_caps = set_caps;
    base->before_transform = before_transform;
    base->transform_ip = transform_ip;
    base->transform_ip_on_passthrough = FALSE;
    base->passthrough_on_same_caps = FALSE;
}

}  // namespace

GType draw_element_type() { return pamtri_draw_get_type(); }

}  // namespace pamtri::gst
