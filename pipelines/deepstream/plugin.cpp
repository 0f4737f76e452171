// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include <gst/gst.h>

#include "nvpamtri_element.hpp"

#define PACKAGE "pamtri-edge"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, PAMTRI_PLUGIN,
                  "Vehicle re-identification in DeepStream (PAMTRI)",
                  pamtri::deepstream::register_element, PAMTRI_VERSION, "Apache-2.0", "pamtri-edge",
                  "The pamtri-edge authors")
