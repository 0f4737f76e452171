// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// How long a buffer stays in an element.
#pragma once

#include <gst/gst.h>

#include "nvdsmeta.h"

extern "C" {
NvDsUserMeta* nvds_set_input_system_timestamp(GstBuffer* buffer, gchar* element_name);
gboolean nvds_set_output_system_timestamp(GstBuffer* buffer, gchar* element_name);
}
