// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Elements that change frames or their metadata in place, as GObject sees them: one class for each
// kind of State. Those that wait for a network have a `latency` in it; those that describe vehicles
// have `settings` and `counts` as well, both under the object's lock.
#pragma once

#include <gst/base/gstbasetransform.h>

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
};

template <typename State>
State& state_of(gpointer element) {
    return *static_cast<Transform<State>*>(element)->state;
}

/// The class above those of elements.
inline GstBaseTransformClass* parent_class() {
    return GST_BASE_TRANSFORM_CLASS(g_type_class_peek(GST_TYPE_BASE_TRANSFORM));
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
    GST_OBJECT_LOCK(object);
    const auto settings = state_of<State>(object).settings;
    const auto counts = state_of<State>(object).counts;
    GST_OBJECT_UNLOCK(object);
    if (id == stats_setting())
        g_value_take_boxed(value, structure_of(counts));
    else if (!get_setting(settings, id, value))
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
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

/// Set up a class: all but its properties, and what happens to frames, events and queries.
template <typename State>
void set_up_in_place(GstBaseTransformClass* base, const About& about) {
    G_OBJECT_CLASS(base)->finalize = finalize<State>;
    GstElementClass* element = GST_ELEMENT_CLASS(base);
    gst_element_class_set_static_metadata(element, about.name, "Filter/Analyzer/Video",
                                          about.description, "The pamtri-edge authors");
    add_pads(element, about.formats);
    // Metadata of a buffer that others hold is theirs: a copy of it is written to.
    base->passthrough_on_same_caps = FALSE;
}

/// Set up the class of an element that describes vehicles.
template <typename State>
void set_up(GstBaseTransformClass* base, const About& about) {
    set_up_in_place<State>(base, about);
    G_OBJECT_CLASS(base)->set_property = set_property<State>;
    G_OBJECT_CLASS(base)->get_property = get_property<State>;
    base->query = query<State>;
}

}  // namespace pamtri::gst
