// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "properties.hpp"

namespace pamtri::gst {

void take(const GValue* value, std::string* member) {
    const gchar* text = g_value_get_string(value);
    *member = text ? text : "";
}

void take(const GValue* value, gint* member) {
    *member = G_VALUE_HOLDS_ENUM(value)      ? g_value_get_enum(value)
              : G_VALUE_HOLDS_BOOLEAN(value) ? g_value_get_boolean(value)
                                             : g_value_get_int(value);
}

void take(const GValue* value, guint* member) {
    *member = G_VALUE_HOLDS_FLAGS(value) ? g_value_get_flags(value) : g_value_get_uint(value);
}

void take(const GValue* value, gdouble* member) { *member = g_value_get_double(value); }

void give(GValue* value, const std::string& member) {
    g_value_set_string(value, member.empty() ? nullptr : member.c_str());
}

void give(GValue* value, gint member) {
    if (G_VALUE_HOLDS_ENUM(value))
        g_value_set_enum(value, member);
    else if (G_VALUE_HOLDS_BOOLEAN(value))
        g_value_set_boolean(value, member);
    else
        g_value_set_int(value, member);
}

void give(GValue* value, guint member) {
    if (G_VALUE_HOLDS_FLAGS(value))
        g_value_set_flags(value, member);
    else
        g_value_set_uint(value, member);
}

void give(GValue* value, gdouble member) { g_value_set_double(value, member); }

}  // namespace pamtri::gst
