// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Frames made into others.
#pragma once

#include "nvbufsurface.h"

typedef struct CUstream_st* cudaStream_t;

enum NvBufSurfTransform_Compute {
    NvBufSurfTransformCompute_Default,
    NvBufSurfTransformCompute_GPU,
    NvBufSurfTransformCompute_VIC
};
enum NvBufSurfTransform_Flip { NvBufSurfTransform_None };
enum NvBufSurfTransform_Inter { NvBufSurfTransformInter_Nearest };
enum NvBufSurfTransform_Error {
    NvBufSurfTransformError_Invalid_Params = -3,
    NvBufSurfTransformError_Execution_Error = -2,
    NvBufSurfTransformError_Unsupported = -1,
    NvBufSurfTransformError_Success = 0
};
enum { NVBUFSURF_TRANSFORM_FILTER = 1 << 2 };

struct NvBufSurfTransformConfigParams {
    NvBufSurfTransform_Compute compute_mode;
    int32_t gpu_id;
    cudaStream_t cuda_stream;
#if NVDS_VERSION_MAJOR >= 8
    void* reserved[STRUCTURE_PADDING];
#endif
};

struct NvBufSurfTransformRect;

struct NvBufSurfTransformParams {
    uint32_t transform_flag;
    NvBufSurfTransform_Flip transform_flip;
    NvBufSurfTransform_Inter transform_filter;
    NvBufSurfTransformRect *src_rect, *dst_rect;
#if NVDS_VERSION_MAJOR >= 8
    void* reserved[STRUCTURE_PADDING];
#endif
};

extern "C" {
NvBufSurfTransform_Error NvBufSurfTransformSetSessionParams(
    NvBufSurfTransformConfigParams* session);
NvBufSurfTransform_Error NvBufSurfTransform(NvBufSurface* source, NvBufSurface* target,
                                            NvBufSurfTransformParams* how);
}
