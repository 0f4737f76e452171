// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The batch's metadata on a buffer.
#pragma once

#include <gst/gst.h>

#include "nvds_latency_meta.h"
#include "nvdsmeta.h"

enum GstNvDsMetaType { NVDS_BATCH_GST_META = NVDS_GST_CUSTOM_META + 1 };

struct NvDsMeta {
    GstMeta meta;
    gpointer meta_data, user_data;
    gint meta_type;
    NvDsMetaCopyFunc copyfunc;
    NvDsMetaReleaseFunc freefunc;
    NvDsMetaCopyFunc gst_to_nvds_meta_transform_func;
    NvDsMetaReleaseFunc gst_to_nvds_meta_release_func;
};

extern "C" {
NvDsMeta* gst_buffer_add_nvds_meta(GstBuffer* buffer, gpointer meta_data, gpointer user_data,
                                   NvDsMetaCopyFunc copy, NvDsMetaReleaseFunc release);
NvDsBatchMeta* gst_buffer_get_nvds_batch_meta(GstBuffer* buffer);
}
