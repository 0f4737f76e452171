// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "pictures.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "launch.hpp"

namespace pamtri::deepstream {

namespace {

constexpr std::size_t kBlock = 32;  // pictures that memory is taken for at a time

bool same(const core::Rectangle& a, const core::Rectangle& b) {
    return a.x1 == b.x1 && a.y1 == b.y1 && a.x2 == b.x2 && a.y2 == b.y2;
}

cuda::Crop crop_of(const DeviceFrame& frame, const core::Rectangle& r) {
    return {frame.surface, r.x1, r.y1, r.x2 - r.x1, r.y2 - r.y1};
}

cuda::CropOptions options_of(const DeviceFrame& frame, int side) {
    cuda::CropOptions options;
    options.form = frame.rule.form;
    options.conversion = frame.rule.conversion;
    options.swap_channels = frame.rule.swapped;
    options.size = side;
    options.type = cuda::Type::kByte;
    return options;
}

}  // namespace

std::shared_ptr<unsigned char> PictureRoom::take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (free_.empty()) {
        const engines::DeviceGuard guard(gpu_);
        const std::size_t bytes = static_cast<std::size_t>(values());
        blocks_.push_back(engines::new_memory(
            kBlock * bytes, "reserving memory for " + std::to_string(kBlock) + " views"));
        auto* first = static_cast<unsigned char*>(blocks_.back().get());
        for (std::size_t i = kBlock; i > 0; --i) free_.push_back(first + (i - 1) * bytes);
    }
    unsigned char* picture = free_.back();
    free_.pop_back();
    return {picture, [room = shared_from_this()](unsigned char* one) { room->give_back(one); }};
}

void PictureRoom::give_back(unsigned char* picture) {
    const std::lock_guard<std::mutex> lock(mutex_);
    free_.push_back(picture);
}

DeviceCutter::Tools::Tools(std::shared_ptr<PictureRoom> room) : room_(std::move(room)) {
    const engines::DeviceGuard guard(room_->gpu());
    stream_ = engines::new_stream();
}

const DeviceFrame& DeviceCutter::frame() {
    if (!frame_) frame_ = std::make_unique<DeviceFrame>(open_());
    return *frame_;
}

void DeviceCutter::wait(const char* what) {
    engines::check(cudaStreamSynchronize(tools_.stream_.get()), what);
}

void DeviceCutter::expect(const std::vector<core::Rectangle>& rectangles) {
    if (rectangles.empty()) return;
    const engines::DeviceGuard guard(tools_.room_->gpu());
    std::vector<cuda::Crop> crops;
    for (const core::Rectangle& one : rectangles) crops.push_back(crop_of(frame(), one));
    const std::size_t bytes = crops.size() * sizeof(double);
    if (bytes > tools_.capacity_) {
        tools_.details_ = engines::new_memory(bytes, "reserving memory for details");
        tools_.capacity_ = bytes;
    }
    auto* found = static_cast<double*>(tools_.details_.get());
    const auto stream = tools_.stream_.get();
    engines::check(cuda::sharpness(crops.data(), static_cast<int>(crops.size()),
                                   options_of(frame(), 0), found, stream),
                   "measuring how sharp views are");
    std::vector<double> details(crops.size());
    engines::check(cudaMemcpyAsync(details.data(), found, bytes, cudaMemcpyDeviceToHost, stream),
                   "reading how sharp views are");
    wait("measuring how sharp views are");
    measured_ = rectangles;
    details_ = std::move(details);
}

double DeviceCutter::detail(const core::Rectangle& rectangle) {
    const auto place = [&] {
        return std::find_if(measured_.begin(), measured_.end(),
                            [&](const core::Rectangle& one) { return same(one, rectangle); });
    };
    if (place() == measured_.end()) expect({rectangle});
    return details_[static_cast<std::size_t>(place() - measured_.begin())];
}

gst::Picture DeviceCutter::cut(const core::Rectangle& rectangle) {
    const engines::DeviceGuard guard(tools_.room_->gpu());
    const std::shared_ptr<unsigned char> picture = tools_.room_->take();
    const cuda::Crop crop = crop_of(frame(), rectangle);
    const int side = tools_.room_->side();
    engines::check(
        cuda::crop(&crop, 1, options_of(frame(), side), picture.get(), tools_.stream_.get()),
        "cutting a view");
    // The thread that embeds it works on another stream, and the frame goes.
    wait("cutting a view");
    return {side, side, {}, picture, origin_ ? original(rectangle) : nullptr};
}

/// Read the rectangle that holds a view and all chroma that it was made of.
std::shared_ptr<gst::Original> DeviceCutter::original(const core::Rectangle& r) {
    const DeviceFrame& from = frame();
    const bool paired = from.rule.form == kNv12Sited;
    core::Rectangle whole = r;
    if (paired)
        whole = {std::max(0, (r.x1 & ~1) - 2), std::max(0, (r.y1 & ~1) - 2),
                 std::min(size_.width, (r.x2 + 3) & ~1), std::min(size_.height, (r.y2 + 3) & ~1)};
    auto found = std::make_shared<gst::Original>();
    found->origin = *origin_;
    found->inside = {r.x1 - whole.x1, r.y1 - whole.y1, r.x2 - whole.x1, r.y2 - whole.y1};
    const auto read = [&](const std::string& name, const unsigned char* first, int pitch, int x,
                          int y, int wide, int high, int bytes) {
        gst::Original::Plane plane{name, {high, wide}, {}};
        if (bytes > 1) plane.shape.push_back(bytes);
        const auto row = static_cast<std::size_t>(wide) * static_cast<std::size_t>(bytes);
        plane.bytes.resize(row * static_cast<std::size_t>(high));
        const unsigned char* from = first + static_cast<std::ptrdiff_t>(y) * pitch + x * bytes;
        engines::check(
            cudaMemcpy2DAsync(plane.bytes.data(), row, from, static_cast<std::size_t>(pitch), row,
                              static_cast<std::size_t>(high), cudaMemcpyDeviceToHost,
                              tools_.stream_.get()),
            "reading a view");
        found->planes.push_back(std::move(plane));
    };
    const int wide = whole.x2 - whole.x1, high = whole.y2 - whole.y1;
    const Surface& surface = from.surface;
    if (paired) {
        found->conversion = conversion_name(from.rule.conversion);
        read("y", surface.pixels, surface.pitch, whole.x1, whole.y1, wide, high, 1);
        read("uv", surface.chroma, surface.chroma_pitch, whole.x1 / 2, whole.y1 / 2, (wide + 1) / 2,
             (high + 1) / 2, 2);
    } else {
        read(plane_name(from.rule), surface.pixels, surface.pitch, whole.x1, whole.y1, wide, high,
             from.rule.form == kRgba ? 4 : 3);
    }
    wait("reading a view");
    return found;
}

std::vector<engines::Answer> describe_on_device(engines::Network& network,
                                                const std::vector<gst::Picture>& pictures, int gpu,
                                                cudaStream_t stream, std::vector<float>* images) {
    std::vector<const unsigned char*> addresses;
    for (const gst::Picture& picture : pictures)
        addresses.push_back(static_cast<const unsigned char*>(picture.elsewhere.get()));
    const int values = 3 * network.picture_size().width * network.picture_size().height;
    if (images) images->resize(pictures.size() * static_cast<std::size_t>(values));
    const engines::DeviceGuard guard(gpu);
    const auto fill = [&](int first, int count, float* memory, engines::Stream where) {
        engines::check(cuda::widen(addresses.data() + first, count, values, memory,
                                   static_cast<cudaStream_t>(where)),
                       "giving views to the network");
        if (!images) return;
        const std::size_t part = static_cast<std::size_t>(count) * static_cast<std::size_t>(values);
        const std::size_t at = static_cast<std::size_t>(first) * static_cast<std::size_t>(values);
        engines::check(cudaMemcpyAsync(images->data() + at, memory, part * sizeof(float),
                                       cudaMemcpyDeviceToHost, static_cast<cudaStream_t>(where)),
                       "reading what the network is given");
    };
    return network.run_on_device(static_cast<int>(pictures.size()), fill, stream);
}

}  // namespace pamtri::deepstream
