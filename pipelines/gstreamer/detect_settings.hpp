// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The properties of the element pamtridetect: names, words, ranges and defaults.
#pragma once

#include <gst/gst.h>

#include <memory>
#include <string>

#include "detector.hpp"

namespace pamtri::gst {

struct DetectSettings {
    std::string detector, classes, device = "auto";
    gint threads = 0;
    guint interval = 1;
    gdouble confidence = 0.3, overlap = 0.5;
};

/// Install them on the class; they are read and written by the two functions below.
void install_detect_settings(GObjectClass* object);

/// Whether there is a property of that number; sets it, or reads it.
bool set_setting(DetectSettings* settings, guint id, const GValue* value);
bool get_setting(const DetectSettings& settings, guint id, GValue* value);

/// Open the detector that they name. Throws core::InputError: it cannot be used.
std::unique_ptr<engines::Detector> open_detector(const DetectSettings& settings);

}  // namespace pamtri::gst
