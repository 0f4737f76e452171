// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// pamtridetect: finds vehicles with a detector's network, as `pamtri run --detector` does.
#include <gst/base/gstbasetransform.h>
#include <gst/video/video.h>

#include <exception>
#include <memory>
#include <string>

#include "detect_settings.hpp"
#include "detector.hpp"
#include "elements.hpp"
#include "errors.hpp"
#include "regions.hpp"
#include "transform_class.hpp"
#include "transform_parts.hpp"
#include "video_frame.hpp"

GST_DEBUG_CATEGORY_STATIC(pamtri_detect_debug);
#define GST_CAT_DEFAULT pamtri_detect_debug

namespace pamtri::gst {

namespace {

struct State {
    DetectSettings settings;  // under the object's lock
    SyncLatency latency;
    std::unique_ptr<engines::Detector> detector;  // from here on of the streaming thread
    GstVideoInfo info;
    guint64 next = 0;  // number of the next frame, since the last seek
};

using PamtriDetect = Transform<State>;
using PamtriDetectClass = TransformClass;

G_DEFINE_TYPE(PamtriDetect, pamtri_detect, GST_TYPE_BASE_TRANSFORM)

State& state_of(gpointer element) { return gst::state_of<State>(element); }

DetectSettings settings_of(gpointer element) { return gst::settings_of<State>(element); }

gboolean start(GstBaseTransform* base) {
    State& state = state_of(base);
    const DetectSettings settings = settings_of(base);
    state.next = 0;
    state.latency.restart();
    try {
        state.detector = open_detector(settings);
    } catch (const std::exception& error) {
        GST_ELEMENT_ERROR(base, RESOURCE, OPEN_READ, ("%s", error.what()), (nullptr));
        return FALSE;
    }
    GST_INFO_OBJECT(base, "%s has the layout %s", settings.detector.c_str(),
                    state.detector->plan().layout.c_str());
    return TRUE;
}

gboolean stop(GstBaseTransform* base) {
    state_of(base).detector.reset();
    return TRUE;
}

gboolean set_caps(GstBaseTransform* base, GstCaps* caps, GstCaps*) {
    return read_form(caps, &state_of(base).info);
}

gboolean sink_event(GstBaseTransform* base, GstEvent* event) {
    if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP) state_of(base).next = 0;
    return parent_class()->sink_event(base, event);
}

/// The name of a class; its number where it has none.
std::string name_of(const core::DetectorClasses& classes, int label) {
    const auto found = classes.names.find(label);
    return found == classes.names.end() ? std::to_string(label) : found->second;
}

/// The whole frame as RGB; none where it is smaller than its caps say.
bool read_pixels(GstBuffer* buffer, GstVideoInfo* info, Picture* picture) {
    GstVideoFrame frame;
    if (!gst_video_frame_map(
            &frame, info, buffer,
            static_cast<GstMapFlags>(GST_MAP_READ | GST_VIDEO_FRAME_MAP_FLAG_NO_REF)))
        return false;
    const std::unique_ptr<GstVideoFrame, void (*)(GstVideoFrame*)> mapped(&frame,
                                                                          gst_video_frame_unmap);
    const FramePixels pixels = pixels_of(frame);
    *picture = cut(pixels, {0, 0, pixels.size.width, pixels.size.height});
    return true;
}

void detect(GstBaseTransform* base, GstBuffer* buffer, const Picture& picture,
            const DetectSettings& settings) {
    engines::Detector& detector = *state_of(base).detector;
    const core::FrameSize size{picture.width, picture.height};
    const engines::DetectionSpec spec{static_cast<float>(settings.confidence),
                                      static_cast<float>(settings.overlap)};
    for (const engines::Detection& found :
         detector.detect({picture.width, picture.height, picture.rgb.data()}, spec)) {
        Region region;
        region.box = found.box;
        region.type = name_of(detector.plan().classes, found.label);
        GST_LOG_OBJECT(base, "detection %s %.6f x1=%.17g y1=%.17g x2=%.17g y2=%.17g",
                       region.type.c_str(), static_cast<double>(found.score), region.box.x1,
                       region.box.y1, region.box.x2, region.box.y2);
        add_detection(buffer, region, static_cast<double>(found.score), found.label, size);
    }
}

GstFlowReturn transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
    State& state = state_of(base);
    const DetectSettings settings = settings_of(base);
    if (state.next++ % settings.interval != 0) return GST_FLOW_OK;
    const GstClockTime begin = gst_util_get_timestamp();
    Picture picture;
    if (!read_pixels(buffer, &state.info, &picture)) {
        GST_ELEMENT_ERROR(base, STREAM, FORMAT,
                          ("A frame's pixels cannot be read: it is smaller than its caps say."),
                          (nullptr));
        return GST_FLOW_ERROR;
    }
    const bool done = attempt(base, [&] { detect(base, buffer, picture, settings); });
    state.latency.note(base, gst_util_get_timestamp() - begin);
    return done ? GST_FLOW_OK : GST_FLOW_ERROR;
}

void pamtri_detect_init(PamtriDetect* self) {
    initialize(self);
    gst_video_info_init(&self->state->info);
}

void pamtri_detect_class_init(PamtriDetectClass* type) {
    GST_DEBUG_CATEGORY_INIT(pamtri_detect_debug, "pamtridetect", 0, "vehicles of a detector");
    GstBaseTransformClass* base = GST_BASE_TRANSFORM_CLASS(type);
    set_up_in_place<State>(
        base, {"Vehicle detector",
               "Finds vehicles with a detector's network (YOLOX, YOLOv5 to v13, RT-DETR and "
               "others, as pamtri run takes them), and marks them as regions of interest without "
               "tracks",
               "video/x-raw, format = " PAMTRI_FORMATS});
    install_detect_settings(G_OBJECT_CLASS(type));
    base->start = start;
    base->stop = stop;
    base->set_caps = set_caps;
    base->sink_event = sink_event;
    base->query = query<State>;
    base->transform_ip = transform_ip;
}

}  // namespace

GType detect_element_type() { return pamtri_detect_get_type(); }

}  // namespace pamtri::gst
