// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// pamtri: describes the vehicles that detectors and trackers before it have found.
#include <gst/base/gstbasetransform.h>
#include <gst/video/video.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "elements.hpp"
#include "engine_messages.hpp"
#include "networks.hpp"
#include "settings.hpp"
#include "stream.hpp"
#include "transform_class.hpp"
#include "video_frame.hpp"

GST_DEBUG_CATEGORY_STATIC(pamtri_debug);
#define GST_CAT_DEFAULT pamtri_debug

namespace pamtri::gst {

namespace {

/// What happened, and how many frames passed before the network was there.
struct ElementCounts {
    Counts common;
    std::uint64_t unready = 0;
};

/// The counts as a structure, which the caller frees.
GstStructure* structure_of(const ElementCounts& counts) {
    GstStructure* structure = gst::structure_of(counts.common);
    gst_structure_set(structure, "unready", G_TYPE_UINT64, counts.unready, nullptr);
    return structure;
}

struct State : Describing<Settings, ElementCounts, Stream> {
    std::optional<GstVideoInfo> form;
};

using Pamtri = Transform<State>;
using PamtriClass = TransformClass;

G_DEFINE_TYPE(Pamtri, pamtri_element, GST_TYPE_BASE_TRANSFORM)

State& state_of(gpointer element) { return gst::state_of<State>(element); }

/// Let the bus and what comes after know of tracks that ended.
void publish(GstBaseTransform* base, State& state, bool downstream = true) {
    ElementCounts counts;
    if (state.stream) counts.common = state.stream->counts();
    counts.unready = state.unready;
    GST_OBJECT_LOCK(base);
    state.counts = counts;
    const bool post = state.settings.post_messages;
    GST_OBJECT_UNLOCK(base);
    if (state.stream) publish_events(base, state.stream->take_events(), post, downstream);
}

/// The running stream; null while the network's engine is being built.
Stream* stream_of(State& state, bool waits) {
    if (state.stream || !state.loader) return state.stream.get();
    if (auto network = state.loader->get(waits)) {
        state.stream = std::make_unique<Stream>(state.running, std::move(network), state.dump);
        if (state.form) state.stream->set_form(*state.form);
    }
    return state.stream.get();
}

gboolean start(GstBaseTransform* base) {
    State& state = state_of(base);
    GST_OBJECT_LOCK(base);
    state.running = state.settings;
    state.counts = {};
    state.latency.restart();
    GST_OBJECT_UNLOCK(base);
    state.unready = 0;
    state.form.reset();
    const Settings& running = state.running;
    try {
        running.check();  // refused before the network is opened
        state.dump = running.new_dump();
        const engines::NetworkOptions options = running.network_options();
        state.loader = begin_loading(GST_ELEMENT(base), running.bundle, "device " + running.device,
                                     options, may_build(options));
        // Only for an engine that is built, which takes minutes, frames do not wait.
        state.loader->settle();
        if (!state.loader->failed()) stream_of(state, false);
    } catch (const std::exception& error) {
        GST_ELEMENT_ERROR(base, RESOURCE, OPEN_READ, ("%s", error.what()), (nullptr));
        state.loader.reset();
        return FALSE;
    }
    const bool failed = state.loader->failed();  // which was told
    if (failed) state.loader.reset();
    return !failed;
}

gboolean set_caps(GstBaseTransform* base, GstCaps* caps, GstCaps*) {
    State& state = state_of(base);
    GstVideoInfo info;
    if (!read_form(caps, &info)) return FALSE;
    state.form = info;
    if (state.stream) state.stream->set_form(info);
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
    State& state = state_of(base);
    if (state.loader && state.loader->failed()) return GST_FLOW_ERROR;  // which was told
    const GstClockTime begin = gst_util_get_timestamp();
    bool readable = true;
    const bool done = attempt(base, [&] {
        Stream* stream = stream_of(state, state.running.sync);
        if (stream)
            readable = stream->take(buffer, stamp_of(base, GST_BUFFER_PTS(buffer)));
        else
            ++state.unready;
        publish(base, state);
    });
    if (state.loader && state.loader->failed()) return GST_FLOW_ERROR;
    if (!readable)
        GST_ELEMENT_ERROR(base, STREAM, FORMAT,
                          ("A frame's pixels cannot be read: it is smaller than its caps say."),
                          (nullptr));
    if (state.running.sync) state.latency.note(base, gst_util_get_timestamp() - begin);
    return done && readable ? GST_FLOW_OK : GST_FLOW_ERROR;
}

gboolean sink_event(GstBaseTransform* base, GstEvent* event) {
    State& state = state_of(base);
    GstClockTime time = GST_CLOCK_TIME_NONE;
    switch (GST_EVENT_TYPE(event)) {
        case GST_EVENT_EOS:
            if (state.stream)
                attempt(base, [&] {
                    state.stream->finish();
                    publish(base, state);
                    if (const std::string other = state.stream->only_left_out(); !other.empty())
                        GST_ELEMENT_WARNING(base, RESOURCE, SETTINGS,
                                            ("No region was of the types that the property classes "
                                             "names, %s; there "
                                             "were others, such as '%s'.",
                                             state.running.classes.c_str(), other.c_str()),
                                            (nullptr));
                });
            break;
        case GST_EVENT_GAP:
            gst_event_parse_gap(event, &time, nullptr);
            if (state.stream)
                attempt(base, [&] {
                    state.stream->skip(stamp_of(base, time));
                    publish(base, state);
                });
            break;
        case GST_EVENT_FLUSH_START:
        case GST_EVENT_FLUSH_STOP:
            return flush<State>(base, event);
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
    base->set_caps = set_caps;
    base->sink_event = sink_event;
    base->transform_ip = transform_ip;
}

}  // namespace

GType pamtri_element_type() { return pamtri_element_get_type(); }

}  // namespace pamtri::gst
