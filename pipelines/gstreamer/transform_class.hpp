// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Elements that change frames or their metadata in place, as GObject sees them: one class for each
// kind of State, with its `settings` under the object's lock. Those that wait for a network have a
// `latency` in it; those that describe vehicles have `counts` as well, under the same lock.
#pragma once

#include <gst/base/gstbasetransform.h>

#include <cstdint>
#include <memory>

#include "loader.hpp"
#include "pads.hpp"
#include "settings.hpp"
#include "transform_parts.hpp"

namespace pamtri::gst {

template <typename State>
struct Transform {
    GstBaseTransform base;
    State* state;
};
struct TransformClass {
    GstBaseTransformClass base;
};

/// What an element says of itself.
struct About {
    const char *name, *description, *formats;
    const char* kind = "Filter/Analyzer/Video";
};

template <typename State>
State& state_of(gpointer element) {
    return *static_cast<Transform<State>*>(element)->state;
}

/// The class above those of elements.
inline GstBaseTransformClass* parent_class() {
    return GST_BASE_TRANSFORM_CLASS(g_type_class_peek(GST_TYPE_BASE_TRANSFORM));
}

/// A copy of what its properties are set to.
template <typename State>
auto settings_of(gpointer element) {
    GST_OBJECT_LOCK(element);
    const auto settings = state_of<State>(element).settings;
    GST_OBJECT_UNLOCK(element);
    return settings;
}

template <typename State>
void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
    GST_OBJECT_LOCK(object);
    const bool known = set_setting(&state_of<State>(object).settings, id, value);
    GST_OBJECT_UNLOCK(object);
    if (!known) G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

template <typename State>
void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
    if (!get_setting(settings_of<State>(object), id, value))
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

/// As `get_property`, of an element that counts.
template <typename State>
void get_property_or_counts(GObject* object, guint id, GValue* value, GParamSpec* spec) {
    if (id != stats_setting()) return get_property<State>(object, id, value, spec);
    GST_OBJECT_LOCK(object);
    const auto counts = state_of<State>(object).counts;
    GST_OBJECT_UNLOCK(object);
    g_value_take_boxed(value, structure_of(counts));
}

template <typename State>
gboolean query(GstBaseTransform* base, GstPadDirection direction, GstQuery* query) {
    const gboolean answered = parent_class()->query(base, direction, query);
    if (answered && GST_QUERY_TYPE(query) == GST_QUERY_LATENCY)
        state_of<State>(base).latency.add_to(base, query);
    return answered;
}

template <typename State>
void initialize(Transform<State>* self) {
    self->state = new State;
    gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
}

template <typename State>
void finalize(GObject* object) {
    delete &state_of<State>(object);
    G_OBJECT_CLASS(parent_class())->finalize(object);
}

/// Set up a class: all but what its properties are, and what happens to frames, events and queries.
template <typename State>
void set_up_in_place(GstBaseTransformClass* base, const About& about) {
    GObjectClass* object = G_OBJECT_CLASS(base);
    object->finalize = finalize<State>;
    object->set_property = set_property<State>;
    object->get_property = get_property<State>;
    GstElementClass* element = GST_ELEMENT_CLASS(base);
    gst_element_class_set_static_metadata(element, about.name, about.kind, about.description,
                                          "The pamtri-edge authors");
    add_pads(element, about.formats);
    // Metadata of a buffer that others hold is theirs: a copy of it is written to.
    base->passthrough_on_same_caps = FALSE;
}

/// The state of an element that describes vehicles, and its Stream while the network is there;
/// settings and counts under the object's lock, all else of the streaming thread. For what follows
/// it has a `publish`, which tells who waits for them of tracks that ended.
template <typename Settings, typename Counts, typename Stream>
struct Describing {
    Settings settings;
    Counts counts;  // a copy for others
    SyncLatency latency;
    Settings running;  // those that it was started with
    std::unique_ptr<Loader> loader;
    std::shared_ptr<Dump> dump;
    std::unique_ptr<Stream> stream;
    std::uint64_t unready = 0;  // frames that passed before the network was there
};

template <typename State>
gboolean stop(GstBaseTransform* base) {
    State& state = state_of<State>(base);
    if (state.stream) {
        // Nobody is there downstream any more.
        attempt(base, [&] {
            state.stream->cut();
            publish(base, state, false);
        });
    }
    state.stream.reset();
    state.loader.reset();
    state.dump.reset();
    return TRUE;
}

/// Pass a flush on. Nobody waits for the network in it, and tracks do not go on over a seek; what
/// is known of them is told after it.
template <typename State>
gboolean flush(GstBaseTransform* base, GstEvent* event) {
    State& state = state_of<State>(base);
    const bool begins = GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_START;
    if (state.loader) state.loader->interrupt(begins);
    const gboolean passed = parent_class()->sink_event(base, event);
    if (!begins && state.stream) attempt(base, [&] { state.stream->cut(); });
    return passed;
}

/// Let a streaming thread that waits for the network go before the state changes.
template <typename State>
GstStateChangeReturn change_state(GstElement* element, GstStateChange change) {
    State& state = state_of<State>(element);
    if (change == GST_STATE_CHANGE_PAUSED_TO_READY && state.loader) state.loader->interrupt(true);
    return GST_ELEMENT_CLASS(parent_class())->change_state(element, change);
}

/// Set up the class of an element that describes vehicles.
template <typename State>
void set_up(GstBaseTransformClass* base, const About& about) {
    set_up_in_place<State>(base, about);
    G_OBJECT_CLASS(base)->get_property = get_property_or_counts<State>;
    GST_ELEMENT_CLASS(base)->change_state = change_state<State>;
    base->stop = stop<State>;
    base->query = query<State>;
}

}  // namespace pamtri::gst
