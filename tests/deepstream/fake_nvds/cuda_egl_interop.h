// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// EGL's images in CUDA, as far as frames of a Jetson are mapped by them.
#pragma once

#include <cuda_runtime_api.h>

using EGLImageKHR = void*;
using cudaGraphicsResource_t = struct cudaGraphicsResource*;
using cudaArray_t = struct cudaArray*;

struct cudaPitchedPtr {
    void* ptr;
    std::size_t pitch, xsize, ysize;
};
enum cudaEglFrameType { cudaEglFrameTypeArray = 0, cudaEglFrameTypePitch = 1 };
enum { cudaGraphicsRegisterFlagsReadOnly = 1 };

struct cudaEglFrame {
    union {
        cudaArray_t pArray[3];
        cudaPitchedPtr pPitch[3];
    } frame;
    unsigned int planeCount;
    cudaEglFrameType frameType;
};

extern "C" {
cudaError_t cudaGraphicsEGLRegisterImage(cudaGraphicsResource_t* resource, EGLImageKHR image,
                                         unsigned int flags);
cudaError_t cudaGraphicsResourceGetMappedEglFrame(cudaEglFrame* frame,
                                                  cudaGraphicsResource_t resource,
                                                  unsigned int index, unsigned int level);
cudaError_t cudaGraphicsUnregisterResource(cudaGraphicsResource_t resource);
}
