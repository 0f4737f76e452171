// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// pamtrisink: sends the events of pamtri to a file or a broker; frames end in it.
#include <gst/base/gstbasesink.h>

#include <chrono>
#include <exception>
#include <memory>
#include <string>

#include "address.hpp"
#include "elements.hpp"
#include "errors.hpp"
#include "event_message.hpp"
#include "properties.hpp"
#include "sink.hpp"

GST_DEBUG_CATEGORY_STATIC(pamtri_sink_debug);
#define GST_CAT_DEFAULT pamtri_sink_debug

namespace pamtri::gst {

namespace {

struct State {
    std::string uri, spool;  // under the object's lock, as all but `sink`
    sinks::Format format = sinks::Format::kJson;
    std::shared_ptr<sinks::Sink> sink;
    sinks::Report report;    // of a sink that is closed
    std::uint64_t lost = 0;  // events that were told to be lost
};

struct PamtriSink {
    GstBaseSink base;
    State* state;
};
struct PamtriSinkClass {
    GstBaseSinkClass base;
};

enum { kUri = 1, kSpool, kFormat, kStats };

G_DEFINE_TYPE(PamtriSink, pamtri_sink, GST_TYPE_BASE_SINK)

State& state_of(gpointer element) { return *static_cast<PamtriSink*>(element)->state; }

GType format_type() {
    static const GEnumValue values[] = {
        {static_cast<gint>(sinks::Format::kJson), "JSON, one object an event", "json"},
        {static_cast<gint>(sinks::Format::kProtobuf), "DeepStream's nv.Frame", "protobuf"},
        {0, nullptr, nullptr}};
    static const GType type = g_enum_register_static("PamtriSinkFormat", values);
    return type;
}

GstStructure* structure_of(const sinks::Report& report) {
    return gst_structure_new(
        "pamtri-sink-stats", "posted", G_TYPE_UINT64, report.posted, "earlier", G_TYPE_UINT64,
        report.earlier, "sent", G_TYPE_UINT64, report.sent, "repeated", G_TYPE_UINT64,
        report.repeated, "acknowledged", G_TYPE_UINT64, report.acknowledged, "spooled",
        G_TYPE_UINT64, report.spooled, "held", G_TYPE_UINT64, report.held, "dropped", G_TYPE_UINT64,
        report.dropped, "connected", G_TYPE_BOOLEAN, static_cast<gboolean>(report.connected),
        "problem", G_TYPE_STRING, report.problem.c_str(), nullptr);
}

/// What of a URI may be shown: programs print the properties of elements, in graphs and logs too.
std::string shown(const std::string& uri) {
    try {
        return sinks::parse_address(uri).shown;
    } catch (const std::exception&) {
        return "a URI that cannot be read";
    }
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
    State& state = state_of(object);
    const auto text = [value] {
        const gchar* given = g_value_get_string(value);
        return std::string(given ? given : "");
    };
    GST_OBJECT_LOCK(object);
    switch (id) {
        case kUri:
            state.uri = text();
            break;
        case kSpool:
            state.spool = text();
            break;
        case kFormat:
            state.format = static_cast<sinks::Format>(g_value_get_enum(value));
            break;
        default:
            G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
    GST_OBJECT_UNLOCK(object);
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
    State& state = state_of(object);
    GST_OBJECT_LOCK(object);
    const std::shared_ptr<sinks::Sink> sink = state.sink;
    const std::string uri = state.uri, spool = state.spool;
    const sinks::Report last = state.report;
    const gint format = static_cast<gint>(state.format);
    GST_OBJECT_UNLOCK(object);
    switch (id) {
        case kUri:
            g_value_set_string(value, uri.empty() ? nullptr : shown(uri).c_str());
            break;
        case kSpool:
            g_value_set_string(value, spool.empty() ? nullptr : spool.c_str());
            break;
        case kFormat:
            g_value_set_enum(value, format);
            break;
        case kStats:
            g_value_take_boxed(value, structure_of(sink ? sink->report() : last));
            break;
        default:
            G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

/// Tell how many events nobody gets; each number once.
void tell_lost(GstBaseSink* base, const sinks::Sink& sink) {
    State& state = state_of(base);
    const sinks::Report report = sink.report();
    const std::uint64_t lost = report.dropped + report.held;
    if (lost <= state.lost) return;
    state.lost = lost;
    GST_ELEMENT_WARNING(base, RESOURCE, WRITE,
                        ("%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                         " events could not be sent to %s. With the property spool they would wait "
                         "in a file.",
                         lost, report.posted + report.earlier, sink.shown().c_str()),
                        ("%s", report.problem.c_str()));
}

gboolean start(GstBaseSink* base) {
    State& state = state_of(base);
    state.lost = 0;
    if (state.uri.empty()) {
        GST_ELEMENT_ERROR(base, RESOURCE, NOT_FOUND,
                          ("The property uri is not set; give file:PATH, mqtt://HOST/TOPIC, "
                           "redis://HOST/STREAM or kafka://HOST/TOPIC."),
                          (nullptr));
        return FALSE;
    }
    sinks::SinkOptions options;
    options.format = state.format;
    options.spool = state.spool;
    // The sink is closed, and its thread with it, before the element goes.
    options.on_problem = [base](const std::string& problem) {
        GST_ELEMENT_WARNING(base, RESOURCE, WRITE, ("%s", problem.c_str()), (nullptr));
    };
    try {
        std::shared_ptr<sinks::Sink> sink = sinks::Sink::open(state.uri, options);
        GST_OBJECT_LOCK(base);
        state.sink = sink;
        GST_OBJECT_UNLOCK(base);
    } catch (const std::exception& error) {
        GST_ELEMENT_ERROR(base, RESOURCE, OPEN_WRITE, ("%s", error.what()), (nullptr));
        return FALSE;
    }
    return TRUE;
}

gboolean stop(GstBaseSink* base) {
    State& state = state_of(base);
    GST_OBJECT_LOCK(base);
    const std::shared_ptr<sinks::Sink> sink = std::move(state.sink);
    state.sink = nullptr;
    GST_OBJECT_UNLOCK(base);
    if (!sink) return TRUE;
    sink->close();
    tell_lost(base, *sink);
    GST_OBJECT_LOCK(base);
    state.report = sink->report();
    GST_OBJECT_UNLOCK(base);
    return TRUE;
}

void post(GstBaseSink* base, const core::Event& event) {
    State& state = state_of(base);
    try {
        const std::string payload = state.format == sinks::Format::kJson
                                        ? core::to_json(event)
                                        : core::to_protobuf({event});
        state.sink->post(sinks::event_key(event.camera, std::to_string(event.track_id)), payload);
    } catch (const core::InputError& error) {
        GST_ELEMENT_WARNING(base, STREAM, ENCODE, ("%s", error.what()), (nullptr));
    }
}

gboolean event(GstBaseSink* base, GstEvent* event) {
    State& state = state_of(base);
    if (state.sink && GST_EVENT_TYPE(event) == GST_EVENT_CUSTOM_DOWNSTREAM) {
        if (const auto ours = event_of(gst_event_get_structure(event))) post(base, *ours);
    } else if (state.sink && GST_EVENT_TYPE(event) == GST_EVENT_EOS) {
        state.sink->flush(state.sink->patience());
        tell_lost(base, *state.sink);  // now: after the end few programs read what the bus has
    }
    return GST_BASE_SINK_CLASS(pamtri_sink_parent_class)->event(base, event);
}

GstFlowReturn render(GstBaseSink*, GstBuffer*) { return GST_FLOW_OK; }

void pamtri_sink_init(PamtriSink* self) {
    self->state = new State;
    gst_base_sink_set_sync(GST_BASE_SINK(self), FALSE);
}

void finalize(GObject* object) {
    delete &state_of(object);
    G_OBJECT_CLASS(pamtri_sink_parent_class)->finalize(object);
}

void pamtri_sink_class_init(PamtriSinkClass* type) {
    GST_DEBUG_CATEGORY_INIT(pamtri_sink_debug, "pamtrisink", 0, "events to files and brokers");
    GObjectClass* object = G_OBJECT_CLASS(type);
    object->set_property = set_property;
    object->get_property = get_property;
    object->finalize = finalize;
    g_object_class_install_property(
        object, kUri,
        g_param_spec_string("uri", "URI",
                            "Where events go: file:PATH, mqtt[s]://HOST/TOPIC, "
                            "redis[s]://HOST/STREAM or kafka[s]://HOST/TOPIC; read without "
                            "password and options",
                            nullptr, kReady));
    g_object_class_install_property(
        object, kSpool,
        g_param_spec_string("spool", "Spool",
                            "File that keeps events until the broker has confirmed them; without "
                            "one they are kept in memory alone",
                            nullptr, kReady));
    g_object_class_install_property(
        object, kFormat,
        g_param_spec_enum("format", "Format", "How events are written", format_type(),
                          static_cast<gint>(sinks::Format::kJson), kReady));
    g_object_class_install_property(
        object, kStats,
        g_param_spec_boxed("stats", "Statistics",
                           "How far events are: posted, sent, acknowledged, spooled, held, dropped",
                           GST_TYPE_STRUCTURE,
                           static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
    GstElementClass* element = GST_ELEMENT_CLASS(type);
    gst_element_class_set_static_metadata(
        element, "Events to files and brokers", "Sink/Network",
        "Sends the events of pamtri to a file, MQTT, Redis or Kafka: at least once, in order for "
        "each track",
        "The pamtri-edge authors");
    GstCaps* any = gst_caps_new_any();
    gst_element_class_add_pad_template(
        element, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, any));
    gst_caps_unref(any);
    GstBaseSinkClass* base = GST_BASE_SINK_CLASS(type);
    base->start = start;
    base->stop = stop;
    base->event = event;
    base->render = render;
}

}  // namespace

GType sink_element_type() { return pamtri_sink_get_type(); }

}  // namespace pamtri::gst
