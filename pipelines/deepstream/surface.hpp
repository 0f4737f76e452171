// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Frames of NvBufSurface, for kernels. Memory that CUDA knows is read where it lies. On a Jetson it
// is mapped into CUDA; a frame that is not row after row is made so first, by NvBufSurfTransform.
#pragma once

#include <nvbufsurface.h>

#include <memory>
#include <optional>

#include "color.hpp"
#include "crop_rules.hpp"
#include "pamtri/pixels.hpp"

namespace pamtri::deepstream {

/// A frame that kernels of its GPU can read.
struct DeviceFrame {
    Surface surface{};
    PixelRule rule;
    core::FrameSize size;
};

/// Surfaces of a batch mapped into CUDA; unmapped at the end.
class Mapping {
  public:
    virtual ~Mapping() = default;

    /// A plane's first byte on the device, and bytes from one row to the next.
    struct Plane {
        const unsigned char* first = nullptr;
        int pitch = 0;
    };
    virtual Plane plane(unsigned index) const = 0;
};

class Surfaces {
  public:
    /// gpu: CUDA's number of the one that frames must lie on.
    explicit Surfaces(int gpu);
    Surfaces(const Surfaces&) = delete;
    Surfaces& operator=(const Surfaces&) = delete;
    ~Surfaces();

    /// Sides of a frame, whatever it lies in. Throws engines::EngineError: there is no such frame.
    static core::FrameSize size_of(const NvBufSurface& batch, unsigned index);

    /// Make a frame readable, until the next is or this goes.
    ///
    /// index: its place in the batch, batch_id of its metadata.
    ///
    /// Throws engines::EngineError: there is no such frame; it lies on another GPU, in memory that
    /// CUDA cannot read, or in a format that is not read; it cannot be mapped.
    DeviceFrame read(NvBufSurface& batch, unsigned index);

  private:
    struct Straight;  // a frame's copy, row after row
    NvBufSurface& straightened(NvBufSurface& batch, unsigned index);

    int gpu_;
    std::optional<bool> open_driver_;
    std::unique_ptr<Straight> straight_;
    std::unique_ptr<Mapping> mapping_;
};

/// Map a frame of a Jetson's own memory into CUDA.
///
/// Throws engines::EngineError: it cannot be, or this was built without EGL.
std::unique_ptr<Mapping> map_frame(NvBufSurface& batch, unsigned index, bool open_driver);

/// Whether the driver is the open one, as on Thor, whose surfaces CUDA imports itself.
bool driver_is_open();

}  // namespace pamtri::deepstream
