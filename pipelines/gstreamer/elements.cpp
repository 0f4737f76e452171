// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "elements.hpp"

namespace pamtri::gst {

gboolean register_elements(GstPlugin* plugin) {
#ifdef PAMTRI_DETECTOR
    if (!gst_element_register(plugin, "pamtridetect", GST_RANK_NONE, detect_element_type()))
        return FALSE;
#endif
    return gst_element_register(plugin, "pamtri", GST_RANK_NONE, pamtri_element_type()) &&
           gst_element_register(plugin, "pamtridraw", GST_RANK_NONE, draw_element_type()) &&
           gst_element_register(plugin, "pamtrisink", GST_RANK_NONE, sink_element_type()) &&
           gst_element_register(plugin, "pamtritracks", GST_RANK_NONE, tracks_element_type());
}

}  // namespace pamtri::gst
