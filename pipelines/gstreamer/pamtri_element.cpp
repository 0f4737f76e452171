// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// pamtri: describes the vehicles that detectors and trackers before it have found.
#include <gst/base/gstbasetransform.h>
#include <gst/video/video.h>

#include <exception>
#include <memory>

#include "elements.hpp"
#include "pads.hpp"
#include "settings.hpp"
#include "stream.hpp"
#include "transform_parts.hpp"
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

struct Pamtri {
    GstBaseTransform base;
    State* state;
};
struct PamtriClass {
    GstBaseTransformClass base;
};

G_DEFINE_TYPE(Pamtri, pamtri_element, GST_TYPE_BASE_TRANSFORM)

State& state_of(gpointer element) { return *static_cast<Pamtri*>(element)->state; }

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
    GST_OBJECT_LOCK(object);
    const bool known = set_setting(&state_of(object).settings, id, value);
    GST_OBJECT_UNLOCK(object);
    if (!known) G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
    GST_OBJECT_LOCK(object);
    const Settings settings = state_of(object).settings;
    const Counts counts = state_of(object).counts;
    GST_OBJECT_UNLOCK(object);
    if (id == stats_setting())
        g_value_take_boxed(value, structure_of(counts));
    else if (!get_setting(settings, id, value))
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

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
            const gboolean passed =
                GST_BASE_TRANSFORM_CLASS(pamtri_element_parent_class)->sink_event(base, event);
            attempt(base, [&] { state.stream->cut(); });
            return passed;
        }
        default:
            break;
    }
    return GST_BASE_TRANSFORM_CLASS(pamtri_element_parent_class)->sink_event(base, event);
}

gboolean query(GstBaseTransform* base, GstPadDirection direction, GstQuery* query) {
    const gboolean answered =
        GST_BASE_TRANSFORM_CLASS(pamtri_element_parent_class)->query(base, direction, query);
    if (answered && GST_QUERY_TYPE(query) == GST_QUERY_LATENCY)
        state_of(base).latency.add_to(base, query);
    return answered;
}

void pamtri_element_init(Pamtri* self) {
    self->state = new State;
    gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
}

void finalize(GObject* object) {
    delete static_cast<Pamtri*>(static_cast<gpointer>(object))->state;
    G_OBJECT_CLASS(pamtri_element_parent_class)->finalize(object);
}

void pamtri_element_class_init(PamtriClass* type) {
    GST_DEBUG_CATEGORY_INIT(pamtri_debug, "pamtri", 0, "vehicle re-identification");
    GObjectClass* object = G_OBJECT_CLASS(type);
    object->set_property = set_property;
    object->get_property = get_property;
    object->finalize = finalize;
    install_settings(object);
    GstElementClass* element = GST_ELEMENT_CLASS(type);
    gst_element_class_set_static_metadata(
        element, "Vehicle re-identification", "Filter/Analyzer/Video",
        "Describes the vehicles that regions of interest mark: embedding, color, type, keypoints, "
        "on every frame, and one event for each track",
        "The pamtri-edge authors");
    add_pads(element, "video/x-raw, format = " PAMTRI_FORMATS);
    GstBaseTransformClass* base = GST_BASE_TRANSFORM_CLASS(type);
    base->start = start;
    base->stop = stop;
    base->set_caps = set_caps;
    base->sink_event = sink_event;
    base->query = query;
    base->transform_ip = transform_ip;
    base->passthrough_on_same_caps = FALSE;
}

}  // namespace

GType pamtri_element_type() { return pamtri_element_get_type(); }

}  // namespace pamtri::gst
