// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What nvdspostprocess asks of a library.
#pragma once

#include <gst/gst.h>

enum class BufferResult { Buffer_Ok, Buffer_Drop, Buffer_Async, Buffer_Error };

struct DSPostProcess_CreateParams {
    GstBaseTransform* m_element;
    guint m_gpuId;
    cudaStream_t m_cudaStream;
    bool m_preprocessor_support;
};

class IDSPostProcessLibrary {
  public:
    virtual bool HandleEvent(GstEvent* event) = 0;
    virtual bool SetConfigFile(const gchar* config_file) = 0;
    virtual BufferResult ProcessBuffer(GstBuffer* buffer) = 0;
    virtual ~IDSPostProcessLibrary() {}
};
