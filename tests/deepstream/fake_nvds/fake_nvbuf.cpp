// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "fake_nvbuf.hpp"

#include <cuda_runtime_api.h>

#include <cstring>
#include <mutex>
#include <set>
#include <utility>

#include "cuda_egl_interop.h"
#include "nvbufsurftransform.h"

struct cudaGraphicsResource {
    const NvBufSurfaceParams* frame;
};

namespace {

constexpr uint32_t kPitch = 256;           // rows begin at multiples of it
constexpr uint32_t kTile = 16, kRows = 8;  // bytes and rows of a block

std::mutex mutex;
nvbuf::Counts live;
std::set<std::string> failing;
bool open_driver = false, arrays = false;

bool fails(const char* function) {
    const std::lock_guard<std::mutex> lock(mutex);
    return failing.erase(function) > 0;
}

void count(int nvbuf::Counts::* kind, int by) {
    const std::lock_guard<std::mutex> lock(mutex);
    live.*kind += by;
}

/// Where the pixels lie; on a Jetson dataPtr is none of CUDA's, so it is kept beside.
unsigned char* memory_of(const NvBufSurfaceParams& frame) {
    return static_cast<unsigned char*>(frame._reserved[0]);
}

void describe(NvBufSurfaceParams& frame) {
    struct Plane {
        uint32_t shrink, bytes;
    };
    std::vector<Plane> planes{{0, 1}};
    switch (frame.colorFormat) {
        case NVBUF_COLOR_FORMAT_RGBA:
        case NVBUF_COLOR_FORMAT_BGRA:
        case NVBUF_COLOR_FORMAT_RGBx:
        case NVBUF_COLOR_FORMAT_BGRx:
            planes = {{0, 4}};
            break;
        case NVBUF_COLOR_FORMAT_RGB:
        case NVBUF_COLOR_FORMAT_BGR:
            planes = {{0, 3}};
            break;
        default:
            planes = {{0, 1}, {1, 2}};
    }
    NvBufSurfacePlaneParams& all = frame.planeParams;
    all.num_planes = static_cast<uint32_t>(planes.size());
    for (uint32_t i = 0; i < all.num_planes; ++i) {
        all.width[i] = (frame.width + planes[i].shrink) >> planes[i].shrink;
        all.height[i] = (frame.height + planes[i].shrink) >> planes[i].shrink;
        all.bytesPerPix[i] = planes[i].bytes;
        all.pitch[i] = (all.width[i] * planes[i].bytes + kPitch - 1) / kPitch * kPitch;
        all.offset[i] = frame.dataSize;
        all.psize[i] = all.pitch[i] * ((all.height[i] + kRows - 1) / kRows * kRows);
        frame.dataSize += all.psize[i];
    }
    frame.pitch = all.pitch[0];
}

/// Where a byte of a plane lies.
uint32_t place_of(const NvBufSurfaceParams& frame, uint32_t plane, uint32_t x, uint32_t y) {
    const uint32_t pitch = frame.planeParams.pitch[plane];
    const uint32_t start = frame.planeParams.offset[plane];
    if (frame.layout == NVBUF_LAYOUT_PITCH) return start + y * pitch + x;
    const uint32_t tile = y / kRows * (pitch / kTile) + x / kTile;
    return start + (tile * kRows + y % kRows) * kTile + x % kTile;
}

std::vector<std::uint8_t> read(const NvBufSurfaceParams& frame) {
    std::vector<std::uint8_t> bytes(frame.dataSize);
    cudaMemcpyAsync(bytes.data(), memory_of(frame), bytes.size(), cudaMemcpyDeviceToHost);
    cudaStreamSynchronize(nullptr);
    return bytes;
}

void write(const NvBufSurfaceParams& frame, const std::vector<std::uint8_t>& bytes) {
    cudaMemcpyAsync(memory_of(frame), bytes.data(), bytes.size(), cudaMemcpyHostToDevice);
    cudaStreamSynchronize(nullptr);
}

bool is_jetsons(const NvBufSurface& surface) {
    return surface.memType == NVBUF_MEM_SURFACE_ARRAY || surface.memType == NVBUF_MEM_HANDLE;
}

}  // namespace

namespace nvbuf {

Counts counts() {
    const std::lock_guard<std::mutex> lock(mutex);
    return live;
}

void reset() {
    const std::lock_guard<std::mutex> lock(mutex);
    live.transforms = 0;
    failing.clear();
    open_driver = arrays = false;
}

void put(NvBufSurface* surface, unsigned index, unsigned plane,
         const std::vector<std::uint8_t>& rows) {
    const NvBufSurfaceParams& frame = surface->surfaceList[index];
    std::vector<std::uint8_t> bytes = read(frame);
    const uint32_t wide = frame.planeParams.width[plane] * frame.planeParams.bytesPerPix[plane];
    for (uint32_t y = 0; y < frame.planeParams.height[plane]; ++y)
        for (uint32_t x = 0; x < wide; ++x)
            bytes[place_of(frame, plane, x, y)] = rows.at(std::size_t{y} * wide + x);
    write(frame, bytes);
}

void fail(const std::string& function) {
    const std::lock_guard<std::mutex> lock(mutex);
    failing.insert(function);
}

void set_open_driver(bool open) { open_driver = open; }
void set_arrays(bool as_arrays) { arrays = as_arrays; }

}  // namespace nvbuf

extern "C" {

int NvBufSurfaceCreate(NvBufSurface** surface, uint32_t count_of,
                       NvBufSurfaceCreateParams* wanted) {
    if (fails("NvBufSurfaceCreate")) return -1;
    auto* made = new NvBufSurface{};
    made->gpuId = wanted->gpuId;
    made->batchSize = count_of;
    made->memType = wanted->memType == NVBUF_MEM_DEFAULT ? NVBUF_MEM_CUDA_DEVICE : wanted->memType;
    made->surfaceList = new NvBufSurfaceParams[count_of]();
    for (uint32_t i = 0; i < count_of; ++i) {
        NvBufSurfaceParams& frame = made->surfaceList[i];
        frame.width = wanted->width;
        frame.height = wanted->height;
        frame.colorFormat = wanted->colorFormat;
        frame.layout = wanted->layout;
        describe(frame);
        cudaMalloc(&frame._reserved[0], frame.dataSize);
        frame.dataPtr = is_jetsons(*made) ? nullptr : frame._reserved[0];
    }
    count(&nvbuf::Counts::surfaces, 1);
    *surface = made;
    return 0;
}

int NvBufSurfaceDestroy(NvBufSurface* surface) {
    for (uint32_t i = 0; i < surface->batchSize; ++i) cudaFree(memory_of(surface->surfaceList[i]));
    delete[] surface->surfaceList;
    delete surface;
    count(&nvbuf::Counts::surfaces, -1);
    return 0;
}

int NvBufSurfaceMapEglImage(NvBufSurface* surface, int index) {
    if (fails("NvBufSurfaceMapEglImage") || !is_jetsons(*surface)) return -1;
    surface->surfaceList[index].mappedAddr.eglImage = &surface->surfaceList[index];
    count(&nvbuf::Counts::images, 1);
    return 0;
}

int NvBufSurfaceUnMapEglImage(NvBufSurface* surface, int index) {
    if (!std::exchange(surface->surfaceList[index].mappedAddr.eglImage, nullptr)) return -1;
    count(&nvbuf::Counts::images, -1);
    return 0;
}

int NvBufSurfaceMapCudaBuffer(NvBufSurface* surface, int index) {
    if (fails("NvBufSurfaceMapCudaBuffer") || !is_jetsons(*surface)) return -1;
    auto* buffer = new NvBufSurfaceCudaBuffer{};
    buffer->basePtr = buffer->dataPtr = memory_of(surface->surfaceList[index]);
    surface->surfaceList[index].mappedAddr.cudaPtr = buffer;
    count(&nvbuf::Counts::buffers, 1);
    return 0;
}

int NvBufSurfaceUnMapCudaBuffer(NvBufSurface* surface, int index) {
    void*& place = surface->surfaceList[index].mappedAddr.cudaPtr;
    delete static_cast<NvBufSurfaceCudaBuffer*>(std::exchange(place, nullptr));
    count(&nvbuf::Counts::buffers, -1);
    return 0;
}

int NvBufSurfaceGetDeviceInfo(NvBufSurfaceDeviceInfo* info) {
    info->driverType = open_driver ? NVBUF_DRIVER_TYPE_RM : NVBUF_DRIVER_TYPE_NVGPU;
    return 0;
}

cudaError_t cudaGraphicsEGLRegisterImage(cudaGraphicsResource_t* resource, EGLImageKHR image,
                                         unsigned int) {
    if (fails("cudaGraphicsEGLRegisterImage")) return cudaErrorInvalidValue;
    *resource = new cudaGraphicsResource{static_cast<const NvBufSurfaceParams*>(image)};
    count(&nvbuf::Counts::resources, 1);
    return cudaSuccess;
}

cudaError_t cudaGraphicsResourceGetMappedEglFrame(cudaEglFrame* frame,
                                                  cudaGraphicsResource_t resource, unsigned int,
                                                  unsigned int) {
    if (fails("cudaGraphicsResourceGetMappedEglFrame")) return cudaErrorInvalidValue;
    const NvBufSurfacePlaneParams& planes = resource->frame->planeParams;
    frame->frameType = arrays ? cudaEglFrameTypeArray : cudaEglFrameTypePitch;
    frame->planeCount = planes.num_planes;
    for (uint32_t i = 0; i < planes.num_planes; ++i) {
        frame->frame.pPitch[i].ptr = memory_of(*resource->frame) + planes.offset[i];
        frame->frame.pPitch[i].pitch = planes.pitch[i];
    }
    return cudaSuccess;
}

cudaError_t cudaGraphicsUnregisterResource(cudaGraphicsResource_t resource) {
    delete resource;
    count(&nvbuf::Counts::resources, -1);
    return cudaSuccess;
}

NvBufSurfTransform_Error NvBufSurfTransformSetSessionParams(NvBufSurfTransformConfigParams*) {
    return NvBufSurfTransformError_Success;
}

NvBufSurfTransform_Error NvBufSurfTransform(NvBufSurface* source, NvBufSurface* target,
                                            NvBufSurfTransformParams*) {
    if (fails("NvBufSurfTransform")) return NvBufSurfTransformError_Execution_Error;
    const NvBufSurfaceParams& from = source->surfaceList[0];
    const NvBufSurfaceParams& to = target->surfaceList[0];
    if (from.colorFormat != to.colorFormat || from.width != to.width || from.height != to.height ||
        source->numFilled != 1)
        return NvBufSurfTransformError_Unsupported;
    const std::vector<std::uint8_t> bytes = read(from);
    std::vector<std::uint8_t> moved(to.dataSize);
    for (uint32_t plane = 0; plane < from.planeParams.num_planes; ++plane)
        for (uint32_t y = 0; y < from.planeParams.height[plane]; ++y)
            for (uint32_t x = 0;
                 x < from.planeParams.width[plane] * from.planeParams.bytesPerPix[plane]; ++x)
                moved[place_of(to, plane, x, y)] = bytes[place_of(from, plane, x, y)];
    write(to, moved);
    count(&nvbuf::Counts::transforms, 1);
    return NvBufSurfTransformError_Success;
}
}
