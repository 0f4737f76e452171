// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "surface.hpp"

#include <nvbufsurftransform.h>

#include <string>

#include "engine_error.hpp"

namespace pamtri::deepstream {

namespace {

using engines::EngineError;

constexpr uint32_t kMostPixels = 1u << 16;  // of a side

constexpr const char* kConvert =
    "; put nvvideoconvert ! video/x-raw(memory:NVMM),format=NV12 before the muxer or this element.";

/// Memory that a kernel reads by its address.
bool is_cuda(const NvBufSurface& batch) {
    switch (batch.memType) {
        case NVBUF_MEM_CUDA_DEVICE:
        case NVBUF_MEM_CUDA_UNIFIED:
        case NVBUF_MEM_CUDA_PINNED:
            return true;
        case NVBUF_MEM_DEFAULT:
            // CUDA's on machines with a discrete GPU, which have no other kind of surface.
#if defined(__aarch64__)
            return false;
#else
            return true;
#endif
        default:
            return false;
    }
}

Mapping::Plane plane_of(const NvBufSurfaceParams& frame, unsigned index) {
    return {static_cast<const unsigned char*>(frame.dataPtr) + frame.planeParams.offset[index],
            static_cast<int>(frame.planeParams.pitch[index])};
}

void check_memory(const NvBufSurface& batch, int gpu) {
    if (batch.memType == NVBUF_MEM_SYSTEM)
        throw EngineError(
            "the frames lie in the host's own memory, which no kernel reads; let the muxer and "
            "nvvideoconvert give memory of the GPU (nvbuf-memory-type=0).");
    if (is_cuda(batch) && batch.gpuId != static_cast<uint32_t>(gpu))
        throw EngineError("the frames lie on GPU " + std::to_string(batch.gpuId) +
                          ", and gpu-id is " + std::to_string(gpu) +
                          "; give all elements of the pipeline the same gpu-id.");
}

void check_form(const NvBufSurfaceParams& frame) {
    const std::string size = std::to_string(frame.width) + "x" + std::to_string(frame.height);
    if (!pixel_rule(frame.colorFormat))
        throw EngineError("the frames are of color format " + words_of(frame.colorFormat) +
                          "; NV12 and RGBA are read" + kConvert);
    const unsigned planes = pixel_rule(frame.colorFormat)->form == kNv12Sited ? 2 : 1;
    if (frame.planeParams.num_planes < planes)
        throw EngineError("a frame of " + size + " pixels has " +
                          std::to_string(frame.planeParams.num_planes) + " of " +
                          std::to_string(planes) + " planes; the batch is damaged.");
}

/// One frame of a batch as a batch of its own.
NvBufSurface alone(const NvBufSurface& batch, unsigned index) {
    NvBufSurface one = batch;
    one.batchSize = one.numFilled = 1;
    one.surfaceList = batch.surfaceList + index;
    return one;
}

}  // namespace

struct Surfaces::Straight {
    NvBufSurface* surface = nullptr;

    ~Straight() {
        if (surface) NvBufSurfaceDestroy(surface);
    }

    bool fits(const NvBufSurfaceParams& frame) const {
        if (!surface) return false;
        const NvBufSurfaceParams& ours = surface->surfaceList[0];
        return ours.width == frame.width && ours.height == frame.height &&
               ours.colorFormat == frame.colorFormat;
    }
};

Surfaces::Surfaces(int gpu) : gpu_(gpu) {}
Surfaces::~Surfaces() = default;

core::FrameSize Surfaces::size_of(const NvBufSurface& batch, unsigned index) {
    if (index >= batch.numFilled || !batch.surfaceList)
        throw EngineError("the metadata tell of a frame at place " + std::to_string(index) +
                          " of a batch that has " + std::to_string(batch.numFilled) +
                          "; the element before nvpamtri changed one but not the other.");
    const NvBufSurfaceParams& frame = batch.surfaceList[index];
    if (frame.width < 1 || frame.height < 1 || frame.width > kMostPixels ||
        frame.height > kMostPixels)
        throw EngineError("a frame is of " + std::to_string(frame.width) + "x" +
                          std::to_string(frame.height) + " pixels; the batch is damaged.");
    return {static_cast<int>(frame.width), static_cast<int>(frame.height)};
}

DeviceFrame Surfaces::read(NvBufSurface& batch, unsigned index) {
    mapping_.reset();
    DeviceFrame found;
    found.size = size_of(batch, index);
    check_memory(batch, gpu_);
    const NvBufSurfaceParams& frame = batch.surfaceList[index];
    check_form(frame);
    found.rule = *pixel_rule(frame.colorFormat);
    NvBufSurface* readable = &batch;
    if (frame.layout != NVBUF_LAYOUT_PITCH || batch.memType > NVBUF_MEM_SYSTEM) {
        readable = &straightened(batch, index);
        index = 0;
    }
    const NvBufSurfaceParams& source = readable->surfaceList[index];
    const bool direct = is_cuda(*readable);
    if (direct && !source.dataPtr)
        throw EngineError("a frame cannot be mapped: its surface has no address in CUDA.");
    if (!direct) {
        if (!open_driver_) open_driver_ = driver_is_open();
        mapping_ = map_frame(*readable, index, *open_driver_);
    }
    const auto plane = [&](unsigned number) {
        return direct ? plane_of(source, number) : mapping_->plane(number);
    };
    const Mapping::Plane first = plane(0);
    found.surface.pixels = first.first;
    found.surface.pitch = first.pitch;
    if (found.rule.form == kNv12Sited) {
        const Mapping::Plane second = plane(1);
        found.surface.chroma = second.first;
        found.surface.chroma_pitch = second.pitch;
        found.surface.chroma_columns = (found.size.width + 1) / 2;
        found.surface.chroma_rows = (found.size.height + 1) / 2;
    }
    return found;
}

NvBufSurface& Surfaces::straightened(NvBufSurface& batch, unsigned index) {
    const NvBufSurfaceParams& frame = batch.surfaceList[index];
    if (!straight_ || !straight_->fits(frame)) {
        straight_ = std::make_unique<Straight>();
        NvBufSurfaceCreateParams wanted{};
        wanted.gpuId = static_cast<uint32_t>(gpu_);
        wanted.width = frame.width;
        wanted.height = frame.height;
        wanted.colorFormat = frame.colorFormat;
        wanted.layout = NVBUF_LAYOUT_PITCH;
        wanted.memType = NVBUF_MEM_DEFAULT;
        if (NvBufSurfaceCreate(&straight_->surface, 1, &wanted) != 0) {
            straight_->surface = nullptr;
            throw EngineError("there is no memory for a frame of " + std::to_string(frame.width) +
                              "x" + std::to_string(frame.height) +
                              " pixels, row after row (NvBufSurfaceCreate failed).");
        }
        straight_->surface->numFilled = 1;
    }
    NvBufSurfTransformConfigParams session{};
    session.compute_mode = NvBufSurfTransformCompute_Default;
    session.gpu_id = gpu_;
    NvBufSurfTransformParams how{};
    how.transform_flag = NVBUFSURF_TRANSFORM_FILTER;
    how.transform_filter = NvBufSurfTransformInter_Nearest;
    NvBufSurface source = alone(batch, index);
    NvBufSurfTransform_Error code = NvBufSurfTransformSetSessionParams(&session);
    if (code == NvBufSurfTransformError_Success)
        code = NvBufSurfTransform(&source, straight_->surface, &how);
    if (code != NvBufSurfTransformError_Success)
        throw EngineError(
            "a frame's blocks cannot be turned into rows: NvBufSurfTransform gives error " +
            std::to_string(static_cast<int>(code)) + kConvert);
    return *straight_->surface;
}

}  // namespace pamtri::deepstream
