// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// pamtri: describes the vehicles that detectors and trackers before it have found.
#include <gst/base/gstbasetransform.h>
#include <gst/video/video.h>

#include <exception>
#include <memory>

#include "elements.hpp"
#include "settings.hpp"
#include "stream.hpp"
#include "transform_class.hpp"
#include "video_frame.hpp"

GST_DEBUG_CATEGORY_STATIC(pamtri_debug);
#define GST_CAT_DEFAULT pamtri_debug

namespace pamtri::gst {

namespace {

struct State {
    Settings settings;  // under the object's lock
    Counts counts;      // a copy for others, under the object's lock
    SyncLatency latency;
    std::unique_ptr<Stream> stream;  // of the streaming thread
};

using Pamtri = Transform<State>;
using PamtriClass = TransformClass;

G_DEFINE_TYPE(Pamtri, pamtri_element, GST_TYPE_BASE_TRANSFORM)

State& state_of(gpointer element) { return gst::state_of<State>(element); }

/// Let the bus and what comes after know of tracks that ended.
void publish(GstBaseTransform* base, bool downstream = true) {
    State& state = state_of(base);
    GST_OBJECT_LOCK(base);
    state.counts = state.stream->counts();
    const bool post = state.settings.post_messages;
    GST_OBJECT_UNLOCK(base);
    publish_events(base, state.stream->take_events(), post, downstream);
}

gboolean start(GstBaseTransform* base) {
    State& state = state_of(base);
    GST_OBJECT_LOCK(base);
    const Settings settings = state.settings;
    state.counts = {};
    state.latency.restart();
    GST_OBJECT_UNLOCK(base);
    try {
        state.stream = std::make_unique<Stream>(settings);
    } catch (const std::exception& error) {
        GST_ELEMENT_ERROR(base, RESOURCE, OPEN_READ, ("%s", error.what()), (nullptr));
        return FALSE;
    }
    return TRUE;
}

gboolean stop(GstBaseTransform* base) {
    State& state = state_of(base);
    if (!state.stream) return TRUE;
    // Nobody is there downstream any more.
    attempt(base, [&] {
        state.stream->cut();
        publish(base, false);
    });
    state.stream.reset();
    return TRUE;
}

gboolean set_caps(GstBaseTransform* base, GstCaps* caps, GstCaps*) {
    GstVideoInfo info;
    if (!read_form(caps, &info)) return FALSE;
    state_of(base).stream->set_form(info);
    return TRUE;
}

/// Seconds of the stream at a buffer's time; none where it has none.
std::optional<double> stamp_of(GstBaseTransform* base, GstClockTime time) {
    if (!GST_CLOCK_TIME_IS_VALID(time)) return std::nullopt;
    if (base->segment.format == GST_FORMAT_TIME) {
        const guint64 inside = gst_segment_to_stream_time(&base->segment, GST_FORMAT_TIME, time);
        if (GST_CLOCK_TIME_IS_VALID(inside)) time = inside;
    }
    return static_cast<double>(time) / GST_SECOND;
}

GstFlowReturn transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
    const GstClockTime begin = gst_util_get_timestamp();
    bool readable = true;
    const bool done = attempt(base, [&] {
        readable = state_of(base).stream->take(buffer, stamp_of(base, GST_BUFFER_PTS(buffer)));
        publish(base);
    });
    if (!readable)
        GST_ELEMENT_ERROR(base, STREAM, FORMAT,
                          ("A frame's pixels cannot be read: it is smaller than its caps say."),
                          (nullptr));
    GST_OBJECT_LOCK(base);
    const bool sync = state_of(base).settings.sync;
    GST_OBJECT_UNLOCK(base);
    if (sync) state_of(base).latency.note(base, gst_util_get_timestamp() - begin);
    return done && readable ? GST_FLOW_OK : GST_FLOW_ERROR;
}

gboolean sink_event(GstBaseTransform* base, GstEvent* event) {
    State& state = state_of(base);
    GstClockTime time = GST_CLOCK_TIME_NONE;
    switch (state.stream ? GST_EVENT_TYPE(event) : GST_EVENT_UNKNOWN) {
        case GST_EVENT_EOS:
            attempt(base, [&] {
                state.stream->finish();
                publish(base);
            });
            break;
        case GST_EVENT_GAP:
            gst_event_parse_gap(event, &time, nullptr);
            attempt(base, [&] {
                state.stream->skip(stamp_of(base, time));
                publish(base);
            });
            break;
        case GST_EVENT_FLUSH_STOP: {
            // Tracks do not go on over a seek; what is known of them is told after the flush.
            const gboolean passed = parent_class()->sink_event(base, event);
            attempt(base, [&] { state.stream->cut(); });
            return passed;
        }
        default:
            break;
    }
    return parent_class()->sink_event(base, event);
}

void pamtri_element_init(Pamtri* self) { initialize(self); }

void pamtri_element_class_init(PamtriClass* type) {
    GST_DEBUG_CATEGORY_INIT(pamtri_debug, "pamtri", 0, "vehicle re-identification");
    GstBaseTransformClass* base = GST_BASE_TRANSFORM_CLASS(type);
    set_up<State>(base, {"Vehicle re-identification",
                         "Describes the vehicles that regions of interest mark: embedding, color, "
                         "type, keypoints, on every frame, and one event for each track",
                         "video/x-raw, format = " PAMTRI_FORMATS});
    install_settings(G_OBJECT_CLASS(type));
    base->start = start;
    base->stop = stop;
    base->set_caps = set_caps;
    base->sink_event = sink_event;
    base->transform_ip = transform_ip;
}

}  // namespace

GType pamtri_element_type() { return pamtri_element_get_type(); }

}  // namespace pamtri::gst
