// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Which member of its settings each property of an element is, by the property's number.
#pragma once

#include <gst/gst.h>

#include <map>
#include <string>
#include <variant>

namespace pamtri::gst {

/// Properties that can be set until the element starts, and those that can be while it plays.
constexpr auto kReady =
    static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
constexpr auto kPlaying = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                   GST_PARAM_MUTABLE_PLAYING);

/// Flags are a guint; enumerations and booleans are a gint; an empty text is none.
template <typename Settings>
using Members = std::map<guint, std::variant<std::string Settings::*, gint Settings::*,
                                             guint Settings::*, gdouble Settings::*>>;

void take(const GValue* value, std::string* member);
void take(const GValue* value, gint* member);
void take(const GValue* value, guint* member);
void take(const GValue* value, gdouble* member);
void give(GValue* value, const std::string& member);
void give(GValue* value, gint member);
void give(GValue* value, guint member);
void give(GValue* value, gdouble member);

/// Set the member of a property; whether there is one.
template <typename Settings>
bool set_member(const Members<Settings>& members, Settings* settings, guint id,
                const GValue* value) {
    const auto found = members.find(id);
    if (found == members.end()) return false;
    std::visit([&](auto member) { take(value, &(settings->*member)); }, found->second);
    return true;
}

/// Read the member of a property; whether there is one.
template <typename Settings>
bool get_member(const Members<Settings>& members, const Settings& settings, guint id,
                GValue* value) {
    const auto found = members.find(id);
    if (found == members.end()) return false;
    std::visit([&](auto member) { give(value, settings.*member); }, found->second);
    return true;
}

}  // namespace pamtri::gst
