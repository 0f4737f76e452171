// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// A Jetson's own memory in CUDA: as an EGLImage, and where the driver is the open one (Thor), whose
// surfaces CUDA imports, through NvBufSurfaceMapCudaBuffer.
#include <nvds_version.h>

#include "engine_error.hpp"
#include "surface.hpp"
#ifdef PAMTRI_HAS_EGL
#include <cuda_egl_interop.h>

#include "cuda_resources.hpp"
#endif

namespace pamtri::deepstream {

namespace {

using engines::EngineError;

#if NVDS_VERSION_MAJOR >= 8
class CudaBuffer final : public Mapping {
  public:
    CudaBuffer(NvBufSurface& batch, unsigned index)
        : batch_(batch), index_(static_cast<int>(index)) {
        if (NvBufSurfaceMapCudaBuffer(&batch_, index_) != 0)
            throw EngineError(
                "a frame cannot be mapped into CUDA (NvBufSurfaceMapCudaBuffer failed).");
        const auto* buffer = static_cast<const NvBufSurfaceCudaBuffer*>(
            batch_.surfaceList[index].mappedAddr.cudaPtr);
        if (!buffer || !buffer->dataPtr) {
            NvBufSurfaceUnMapCudaBuffer(&batch_, index_);
            throw EngineError("a frame cannot be mapped into CUDA: it got no address.");
        }
        first_ = static_cast<const unsigned char*>(buffer->dataPtr);
    }
    ~CudaBuffer() override { NvBufSurfaceUnMapCudaBuffer(&batch_, index_); }

    Plane plane(unsigned number) const override {
        const NvBufSurfacePlaneParams& planes = batch_.surfaceList[index_].planeParams;
        return {first_ + planes.offset[number], static_cast<int>(planes.pitch[number])};
    }

  private:
    NvBufSurface& batch_;
    int index_;
    const unsigned char* first_ = nullptr;
};
#endif

#ifdef PAMTRI_HAS_EGL
class EglImage final : public Mapping {
  public:
    EglImage(NvBufSurface& batch, unsigned index) : batch_(batch), index_(static_cast<int>(index)) {
        if (NvBufSurfaceMapEglImage(&batch_, index_) != 0)
            throw EngineError(
                "a frame cannot be mapped: NvBufSurfaceMapEglImage failed. Without a display, "
                "unset DISPLAY.");
        try {
            engines::check(cudaGraphicsEGLRegisterImage(
                               &resource_, batch_.surfaceList[index].mappedAddr.eglImage,
                               cudaGraphicsRegisterFlagsReadOnly),
                           "mapping a frame into CUDA");
            engines::check(cudaGraphicsResourceGetMappedEglFrame(&frame_, resource_, 0, 0),
                           "looking where a frame is mapped");
            if (frame_.frameType != cudaEglFrameTypePitch)
                throw EngineError(
                    "a frame is mapped as an array of CUDA's, which is no memory row after row; "
                    "put nvvideoconvert before this element.");
        } catch (...) {
            unmap();
            throw;
        }
    }
    ~EglImage() override { unmap(); }

    Plane plane(unsigned number) const override {
        const cudaPitchedPtr& plane = frame_.frame.pPitch[number];
        return {static_cast<const unsigned char*>(plane.ptr), static_cast<int>(plane.pitch)};
    }

  private:
    void unmap() {
        if (resource_) cudaGraphicsUnregisterResource(resource_);
        NvBufSurfaceUnMapEglImage(&batch_, index_);
    }

    NvBufSurface& batch_;
    int index_;
    cudaGraphicsResource_t resource_ = nullptr;
    cudaEglFrame frame_{};
};
#endif

}  // namespace

bool driver_is_open() {
#if NVDS_VERSION_MAJOR >= 8
    NvBufSurfaceDeviceInfo info{};
    return NvBufSurfaceGetDeviceInfo(&info) == 0 && info.driverType == NVBUF_DRIVER_TYPE_RM;
#else
    return false;
#endif
}

std::unique_ptr<Mapping> map_frame(NvBufSurface& batch, unsigned index,
                                   [[maybe_unused]] bool open_driver) {
#if NVDS_VERSION_MAJOR >= 8
    if (open_driver) return std::make_unique<CudaBuffer>(batch, index);
#endif
#ifdef PAMTRI_HAS_EGL
    return std::make_unique<EglImage>(batch, index);
#else
    throw EngineError(
        "the frames lie in a Jetson's own memory, and this was built without EGL, which maps it; "
        "build it where EGL/egl.h is (apt-get install libegl-dev).");
#endif
}

}  // namespace pamtri::deepstream
