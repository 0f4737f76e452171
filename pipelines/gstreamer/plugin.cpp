// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include <gst/gst.h>

#include "elements.hpp"

#define PACKAGE "pamtri-edge"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, pamtri,
                  "Vehicle re-identification on traffic cameras (PAMTRI)",
                  pamtri::gst::register_elements, PAMTRI_VERSION, "Apache-2.0", "pamtri-edge",
                  "The pamtri-edge authors")
