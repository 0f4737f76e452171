// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The elements of the plugin, as types.
#pragma once

#include <gst/gst.h>

namespace pamtri::gst {

GType detect_element_type();  ///< where OpenVINO was found
GType draw_element_type();
GType pamtri_element_type();
GType sink_element_type();
GType tracks_element_type();

/// Register all elements: of a plugin, or with nullptr for this program alone.
gboolean register_elements(GstPlugin* plugin);

}  // namespace pamtri::gst
