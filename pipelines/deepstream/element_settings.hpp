// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The properties of the element nvpamtri: those of pamtri, and a few of DeepStream's own.
#pragma once

#include <gst/gst.h>

#include <string>
#include <vector>

#include "attach.hpp"
#include "settings.hpp"

namespace pamtri::deepstream {

/// When a message for a broker is put on a frame.
enum class Messages { kOff, kChanges, kFrames };

struct Settings {
    gst::Settings common;
    guint gpu_id = 0, unique_id = 77;
    gint operate_on_gie_id = -1;
    gint reid_meta = 0, messages = 0;
    gboolean display_text = TRUE;
    std::string config_file;

    engines::NetworkOptions network_options() const;
    AttachSpec attach_spec() const;
    Messages when_messages() const { return static_cast<Messages>(messages); }

    /// Name of a source's camera: the one of its number in the list that the property camera is;
    /// else what the source is called; else the first of the list with the source's number.
    std::string camera_of(const NvDsFrameMeta* frame) const;

    /// Whether an object is a vehicle that is wanted: by its label, or by the number of its class.
    bool wants(const NvDsObjectMeta* object) const;
};

/// Install them on the class; all but stats are read and written by the two functions below.
void install_settings(GObjectClass* object);

/// Whether there is a property of that number; sets it, or reads it.
bool set_setting(Settings* settings, guint id, const GValue* value);
bool get_setting(const Settings& settings, guint id, GValue* value);

/// Set properties of an element as a file of the form "[pamtri]", "property=value" says.
///
/// Throws core::InputError: it cannot be read, a key is none of the element's properties, or a
/// value is none of the property's.
void read_config(GObject* element, const std::string& path);

}  // namespace pamtri::deepstream
