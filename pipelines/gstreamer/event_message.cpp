// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "event_message.hpp"

#include <string>

namespace pamtri::gst {

namespace {

using Boxed = std::shared_ptr<const core::Event>;

gpointer copied(gpointer event) { return new Boxed(*static_cast<Boxed*>(event)); }

void freed(gpointer event) { delete static_cast<Boxed*>(event); }

GType boxed_type() {
    // Another plugin of ours may have registered it: events pass from one to the other.
    static const GType known = g_type_from_name("PamtriEvent");
    static const GType type =
        known ? known : g_boxed_type_register_static("PamtriEvent", copied, freed);
    return type;
}

}  // namespace

GstStructure* structure_of(const core::Event& event) {
    const std::string json = core::to_json(event);
    Boxed shared = std::make_shared<const core::Event>(event);
    return gst_structure_new(kEventName, "event", boxed_type(), &shared, "json", G_TYPE_STRING,
                             json.c_str(), "camera", G_TYPE_STRING, event.camera.c_str(),
                             "track-id", G_TYPE_STRING, std::to_string(event.track_id).c_str(),
                             nullptr);
}

std::shared_ptr<const core::Event> event_of(const GstStructure* structure) {
    if (!structure || !gst_structure_has_name(structure, kEventName)) return nullptr;
    const GValue* value = gst_structure_get_value(structure, "event");
    if (!value || !G_VALUE_HOLDS(value, boxed_type())) return nullptr;
    const auto* shared = static_cast<const Boxed*>(g_value_get_boxed(value));
    return shared ? *shared : nullptr;
}

}  // namespace pamtri::gst
