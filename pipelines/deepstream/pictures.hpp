// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Views of vehicles on the GPU: cut out of a frame into memory that stays, as bytes, a plane a
// color, of the size that the network takes; and from there to the network.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "cuda_resources.hpp"
#include "cutter.hpp"
#include "network.hpp"
#include "surface.hpp"

namespace pamtri::deepstream {

/// Memory for pictures on a GPU, which grows as more are kept and is given back with the last of
/// them. Of any thread.
class PictureRoom : public std::enable_shared_from_this<PictureRoom> {
  public:
    /// side: pixels of a picture's side.
    PictureRoom(int gpu, int side) : gpu_(gpu), side_(side) {}

    /// A picture, of any content, that goes back when nobody holds it. Throws engines::EngineError.
    std::shared_ptr<unsigned char> take();

    int gpu() const { return gpu_; }
    int side() const { return side_; }
    int values() const { return 3 * side_ * side_; }

  private:
    void give_back(unsigned char* picture);

    const int gpu_, side_;
    std::mutex mutex_;
    std::vector<engines::DeviceMemory> blocks_;
    std::vector<unsigned char*> free_;
};

/// A frame on the GPU, out of which views are cut. The frame is looked at only if one is; nothing
/// reads it any more after each call.
class DeviceCutter final : public gst::Cutter {
  public:
    /// Memory and a stream that frames after one another use.
    class Tools {
      public:
        explicit Tools(std::shared_ptr<PictureRoom> room);
        const std::shared_ptr<PictureRoom>& room() const { return room_; }

      private:
        friend class DeviceCutter;
        std::shared_ptr<PictureRoom> room_;
        engines::OwnedStream stream_;
        engines::DeviceMemory details_;
        std::size_t capacity_ = 0;  // of details_
    };

    /// origin: given where originals of views are wanted.
    DeviceCutter(Tools& tools, core::FrameSize size, std::function<DeviceFrame()> frame,
                 std::optional<gst::Origin> origin = std::nullopt)
        : tools_(tools), size_(size), open_(std::move(frame)), origin_(origin) {}

    core::FrameSize size() const override { return size_; }
    void expect(const std::vector<core::Rectangle>& rectangles) override;
    double detail(const core::Rectangle& rectangle) override;
    gst::Picture cut(const core::Rectangle& rectangle) override;

  private:
    const DeviceFrame& frame();
    std::shared_ptr<gst::Original> original(const core::Rectangle& rectangle);
    void wait(const char* what);

    Tools& tools_;
    core::FrameSize size_;
    std::function<DeviceFrame()> open_;
    std::optional<gst::Origin> origin_;
    std::unique_ptr<DeviceFrame> frame_;
    std::vector<core::Rectangle> measured_;
    std::vector<double> details_;
};

/// Have pictures described that were cut by a DeviceCutter.
///
/// images: where what the network was given is put, a plane a color; null where nobody asks.
std::vector<engines::Answer> describe_on_device(engines::Network& network,
                                                const std::vector<gst::Picture>& pictures, int gpu,
                                                cudaStream_t stream,
                                                std::vector<float>* images = nullptr);

}  // namespace pamtri::deepstream
