// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <utility>

namespace pamtri::gst {

/// Give an element that hands frames on its two pads, `sink` and `src`, with the same caps.
inline void add_pads(GstElementClass* element, const char* formats) {
    GstCaps* caps = gst_caps_from_string(formats);
    for (const auto& [name, way] : {std::pair{"sink", GST_PAD_SINK}, std::pair{"src", GST_PAD_SRC}})
        gst_element_class_add_pad_template(element,
                                           gst_pad_template_new(name, way, GST_PAD_ALWAYS, caps));
    gst_caps_unref(caps);
}

}  // namespace pamtri::gst
