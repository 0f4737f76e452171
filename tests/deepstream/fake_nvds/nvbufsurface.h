// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Batches of frames in memory of the GPU, with the names and layout of DeepStream, as far as our
// element reads them.
#pragma once

#include <cstdint>

#include "nvds_version.h"

#define STRUCTURE_PADDING 4
#define NVBUF_MAX_PLANES 4

enum NvBufSurfaceColorFormat {
    NVBUF_COLOR_FORMAT_INVALID,
    NVBUF_COLOR_FORMAT_GRAY8,
    NVBUF_COLOR_FORMAT_YUV420,
    NVBUF_COLOR_FORMAT_YUV420_ER = 4,
    NVBUF_COLOR_FORMAT_NV12 = 6,
    NVBUF_COLOR_FORMAT_NV12_ER,
    NVBUF_COLOR_FORMAT_NV21,
    NVBUF_COLOR_FORMAT_NV21_ER,
    NVBUF_COLOR_FORMAT_UYVY,
    NVBUF_COLOR_FORMAT_UYVY_ER,
    NVBUF_COLOR_FORMAT_RGBA = 19,
    NVBUF_COLOR_FORMAT_BGRA,
    NVBUF_COLOR_FORMAT_RGBx = 23,
    NVBUF_COLOR_FORMAT_BGRx,
    NVBUF_COLOR_FORMAT_RGB = 27,
    NVBUF_COLOR_FORMAT_BGR,
    NVBUF_COLOR_FORMAT_NV12_10LE,
    NVBUF_COLOR_FORMAT_YUV420_709 = 31,
    NVBUF_COLOR_FORMAT_YUV420_709_ER,
    NVBUF_COLOR_FORMAT_NV12_709,
    NVBUF_COLOR_FORMAT_NV12_709_ER,
    NVBUF_COLOR_FORMAT_YUV420_2020,
    NVBUF_COLOR_FORMAT_NV12_2020,
    NVBUF_COLOR_FORMAT_NV12_10LE_ER,
    NVBUF_COLOR_FORMAT_NV12_10LE_709,
    NVBUF_COLOR_FORMAT_NV12_10LE_709_ER,
    NVBUF_COLOR_FORMAT_NV12_10LE_2020,
};

enum NvBufSurfaceLayout { NVBUF_LAYOUT_PITCH, NVBUF_LAYOUT_BLOCK_LINEAR };

enum NvBufSurfaceMemType {
    NVBUF_MEM_DEFAULT,
    NVBUF_MEM_CUDA_PINNED,
    NVBUF_MEM_CUDA_DEVICE,
    NVBUF_MEM_CUDA_UNIFIED,
    NVBUF_MEM_SURFACE_ARRAY,
    NVBUF_MEM_HANDLE,
    NVBUF_MEM_SYSTEM,
#if NVDS_VERSION_MAJOR >= 9
    NVBUF_MEM_CUDA_ARRAY,
#endif
};

struct NvBufSurfacePlaneParams {
    uint32_t num_planes, width[NVBUF_MAX_PLANES], height[NVBUF_MAX_PLANES], pitch[NVBUF_MAX_PLANES],
        offset[NVBUF_MAX_PLANES], psize[NVBUF_MAX_PLANES], bytesPerPix[NVBUF_MAX_PLANES];
    void* _reserved[STRUCTURE_PADDING * NVBUF_MAX_PLANES];
};

struct NvBufSurfaceCreateParams {
    uint32_t gpuId, width, height, size;
    bool isContiguous;
    NvBufSurfaceColorFormat colorFormat;
    NvBufSurfaceLayout layout;
    NvBufSurfaceMemType memType;
#if NVDS_VERSION_MAJOR >= 8
    void* _reserved[STRUCTURE_PADDING];
#endif
};

struct NvBufSurfaceMappedAddr {
    void *addr[NVBUF_MAX_PLANES], *eglImage;
#if NVDS_VERSION_MAJOR >= 8
    void *nvmmPtr, *cudaPtr;
#endif
    void* _reserved[STRUCTURE_PADDING];
};

struct NvBufSurfaceParamsEx;

struct NvBufSurfaceCudaBuffer {
    void *basePtr, *dataPtr, *extMem, *mipmap;
    uint8_t reserved[64];
};

struct NvBufSurfaceParams {
    uint32_t width, height, pitch;
    NvBufSurfaceColorFormat colorFormat;
    NvBufSurfaceLayout layout;
    uint64_t bufferDesc;
    uint32_t dataSize;
    void* dataPtr;
    NvBufSurfacePlaneParams planeParams;
    NvBufSurfaceMappedAddr mappedAddr;
    NvBufSurfaceParamsEx* paramex;
#if NVDS_VERSION_MAJOR >= 8
    NvBufSurfaceCudaBuffer* cudaBuffer;
    void* _reserved[STRUCTURE_PADDING];
#else
    void* _reserved[STRUCTURE_PADDING - 1];
#endif
};

struct NvBufSurface {
    uint32_t gpuId, batchSize, numFilled;
    bool isContiguous;
    NvBufSurfaceMemType memType;
    NvBufSurfaceParams* surfaceList;
#if NVDS_VERSION_MAJOR >= 8
    bool isImportedBuf;
#endif
    void* _reserved[STRUCTURE_PADDING];
};

enum NvBufSurfaceDriverType {
    NVBUF_DRIVER_TYPE_UNKNOWN,
    NVBUF_DRIVER_TYPE_NVGPU,
    NVBUF_DRIVER_TYPE_RM
};

struct NvBufSurfaceDeviceInfo {
    NvBufSurfaceDriverType driverType;
    bool isVicPresent;
    uint8_t reserved[67];
};

extern "C" {
int NvBufSurfaceCreate(NvBufSurface** surface, uint32_t count, NvBufSurfaceCreateParams* wanted);
int NvBufSurfaceDestroy(NvBufSurface* surface);
int NvBufSurfaceMapEglImage(NvBufSurface* surface, int index);
int NvBufSurfaceUnMapEglImage(NvBufSurface* surface, int index);
int NvBufSurfaceMapCudaBuffer(NvBufSurface* surface, int index);
int NvBufSurfaceUnMapCudaBuffer(NvBufSurface* surface, int index);
int NvBufSurfaceGetDeviceInfo(NvBufSurfaceDeviceInfo* info);
}
