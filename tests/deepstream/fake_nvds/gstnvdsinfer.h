// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Of DeepStream's gstnvdsinfer.h: what nvinfer attaches with output-tensor-meta=1.
#pragma once

#include <glib.h>
#include <nvdsinfer.h>

struct NvDsInferTensorMeta {
    guint unique_id, num_output_layers;
    NvDsInferLayerInfo* output_layers_info;
    void **out_buf_ptrs_host, **out_buf_ptrs_dev;
    gint gpu_id;
    void* priv_data;
    NvDsInferNetworkInfo network_info;
    gboolean maintain_aspect_ratio, symmetric_padding;
};
