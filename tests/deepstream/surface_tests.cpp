// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <functional>
#include <string>

#include "check.hpp"
#include "detail.hpp"
#include "fake_cuda/device.hpp"
#include "fake_nvbuf.hpp"
#include "frames.hpp"
#include "pictures.hpp"
#include "runner.hpp"
#include "surface.hpp"

using pamtri::core::Rectangle;
using pamtri::deepstream::DeviceCutter;
using pamtri::deepstream::PictureRoom;
using pamtri::deepstream::Surfaces;
using test::Form;

namespace {

constexpr int kSide = 32;

std::vector<std::uint8_t> on_host(const void* memory, std::size_t size) {
    std::vector<std::uint8_t> bytes(size);
    cudaMemcpyAsync(bytes.data(), memory, size, cudaMemcpyDeviceToHost);
    cudaStreamSynchronize(nullptr);
    return bytes;
}

/// A network that only looks at the pictures that it is given.
class Looking : public pamtri::engines::Network {
  public:
    std::vector<std::uint8_t> seen;  // rows of RGB, as describe() makes them

    const pamtri::engines::Manifest& manifest() const override { std::abort(); }
    pamtri::engines::PictureSize picture_size() const override { return {kSide, kSide}; }
    const std::string& backend() const override { return word_; }
    const std::string& arithmetic() const override { return word_; }
    std::vector<pamtri::engines::Answer> run(const std::uint8_t* pictures, int count) override {
        seen.assign(pictures, pictures + count * 3 * kSide * kSide);
        return {};
    }

  private:
    const std::string word_ = "none";
};

/// What the host makes of a view, a plane a color.
std::vector<std::uint8_t> expected(const test::Painted& painted, const Rectangle& rectangle) {
    Looking network;
    pamtri::gst::describe(network, {pamtri::gst::cut(painted.pixels(), rectangle)});
    std::vector<std::uint8_t> planes;
    for (int channel = 0; channel < 3; ++channel)
        for (int i = 0; i < kSide * kSide; ++i)
            planes.push_back(network.seen[static_cast<std::size_t>(3 * i + channel)]);
    return planes;
}

/// Cut views of the second frame of a batch on the device, and compare with the host.
void expect_same(const Form& form) {
    const test::Surfaces batch = test::new_surfaces(2, form);
    const test::Painted first(form, 1), second(form, 2);
    first.put(batch.get(), 0);
    second.put(batch.get(), 1);
    Surfaces surfaces(static_cast<int>(form.gpu));
    DeviceCutter::Tools tools(std::make_shared<PictureRoom>(static_cast<int>(form.gpu), kSide));
    DeviceCutter cutter(tools, Surfaces::size_of(*batch, 1),
                        [&] { return surfaces.read(*batch, 1); });
    const Rectangle all{0, 0, static_cast<int>(form.width), static_cast<int>(form.height)};
    const std::vector<Rectangle> wanted{{3, 5, 40, 41}, {17, 0, 18, 50}, all};
    cutter.expect({wanted[0], wanted[2]});
    for (const Rectangle& one : wanted) {
        EXPECT(cutter.detail(one) == pamtri::gst::detail(pamtri::gst::cut(second.pixels(), one)));
        const pamtri::gst::Picture picture = cutter.cut(one);
        EXPECT(on_host(picture.elsewhere.get(), 3 * kSide * kSide) == expected(second, one));
    }
}

void expect_refused(const Form& form, const std::vector<std::string>& said,
                    const std::function<void(NvBufSurface*)>& damage = {}) {
    const test::Surfaces batch = test::new_surfaces(1, form);
    if (damage) damage(batch.get());
    Surfaces surfaces(0);
    std::string text;
    try {
        surfaces.read(*batch, 0);
    } catch (const pamtri::engines::EngineError& error) {
        text = error.what();
    }
    for (const std::string& part : said)
        if (text.find(part) == std::string::npos)
            test::fail(__FILE__, __LINE__, "'" + part + "' is not in: " + text);
}

}  // namespace

TEST(every_format_gives_the_pictures_and_details_of_the_host) {
    for (const NvBufSurfaceColorFormat format :
         {NVBUF_COLOR_FORMAT_NV12, NVBUF_COLOR_FORMAT_NV12_ER, NVBUF_COLOR_FORMAT_NV12_709,
          NVBUF_COLOR_FORMAT_NV12_709_ER, NVBUF_COLOR_FORMAT_NV12_2020, NVBUF_COLOR_FORMAT_RGBA,
          NVBUF_COLOR_FORMAT_BGRA, NVBUF_COLOR_FORMAT_RGBx, NVBUF_COLOR_FORMAT_BGRx,
          NVBUF_COLOR_FORMAT_RGB, NVBUF_COLOR_FORMAT_BGR}) {
        Form form;
        form.format = format;
        expect_same(form);
    }
}

TEST(the_matrix_and_range_are_those_of_the_surface) {
    // The same bytes in five formats are five pictures.
    std::vector<std::vector<std::uint8_t>> found;
    for (const NvBufSurfaceColorFormat format :
         {NVBUF_COLOR_FORMAT_NV12, NVBUF_COLOR_FORMAT_NV12_ER, NVBUF_COLOR_FORMAT_NV12_709,
          NVBUF_COLOR_FORMAT_NV12_709_ER, NVBUF_COLOR_FORMAT_NV12_2020}) {
        Form form;
        form.format = format;
        const test::Painted painted(form, 4);
        found.push_back(expected(painted, {0, 0, 70, 50}));
    }
    for (std::size_t i = 0; i < found.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) EXPECT(found[i] != found[j]);
}

TEST(odd_sides_are_read_to_their_edges) {
    Form form;
    form.width = 71;
    form.height = 51;
    expect_same(form);
}

TEST(every_memory_that_cuda_knows_is_read_where_it_lies) {
    for (const NvBufSurfaceMemType memory : {NVBUF_MEM_DEFAULT, NVBUF_MEM_CUDA_PINNED,
                                             NVBUF_MEM_CUDA_DEVICE, NVBUF_MEM_CUDA_UNIFIED}) {
        Form form;
        form.memory = memory;
        expect_same(form);
    }
    EXPECT(nvbuf::counts().transforms == 0);
}

TEST(a_jetsons_memory_is_mapped_as_an_egl_image_or_imported_by_the_open_driver) {
    for (const bool open : {false, true})
        for (const NvBufSurfaceMemType memory : {NVBUF_MEM_SURFACE_ARRAY, NVBUF_MEM_HANDLE}) {
            nvbuf::set_open_driver(open);
            Form form;
            form.memory = memory;
            form.format = NVBUF_COLOR_FORMAT_NV12_709;
            expect_same(form);
            form.format = NVBUF_COLOR_FORMAT_RGBA;
            expect_same(form);
        }
    EXPECT(nvbuf::counts().transforms == 0);
}

TEST(a_frame_in_blocks_is_turned_into_rows_first) {
    for (const NvBufSurfaceMemType memory : {NVBUF_MEM_SURFACE_ARRAY, NVBUF_MEM_CUDA_DEVICE}) {
        Form form;
        form.memory = memory;
        form.layout = NVBUF_LAYOUT_BLOCK_LINEAR;
        expect_same(form);
    }
    EXPECT(nvbuf::counts().transforms == 2);
}

TEST(frames_of_changing_sizes_are_turned_each_by_its_own) {
    Surfaces surfaces(0);
    for (const unsigned width : {64u, 64u, 96u}) {
        Form form;
        form.layout = NVBUF_LAYOUT_BLOCK_LINEAR;
        form.width = width;
        const test::Surfaces batch = test::new_surfaces(1, form);
        EXPECT(surfaces.read(*batch, 0).size.width == static_cast<int>(width));
    }
    EXPECT(nvbuf::counts().surfaces == 1);
}

TEST(what_cannot_be_read_is_told_in_a_sentence) {
    Form form;
    const auto with = [&](auto member, auto value) {
        Form other = form;
        other.*member = value;
        return other;
    };
    for (const auto& [format, name] :
         {std::pair{NVBUF_COLOR_FORMAT_NV21, "NV21 (number 8)"},
          std::pair{NVBUF_COLOR_FORMAT_NV12_10LE, "NV12 of 10 bits (number 29)"},
          std::pair{NVBUF_COLOR_FORMAT_INVALID, "invalid (number 0)"},
          std::pair{static_cast<NvBufSurfaceColorFormat>(63), "color format number 63;"}})
        expect_refused(with(&Form::format, format), {name, "NV12 and RGBA are read"});
    expect_refused(with(&Form::gpu, 3u), {"lie on GPU 3, and gpu-id is 0"});
    expect_refused(with(&Form::memory, NVBUF_MEM_SYSTEM), {"the host's own memory"});
    expect_refused(form, {"a frame at place 0 of a batch that has 0"},
                   [](NvBufSurface* batch) { batch->numFilled = 0; });
    expect_refused(form, {"has no address in CUDA"},
                   [](NvBufSurface* batch) { batch->surfaceList[0].dataPtr = nullptr; });
    expect_refused(form, {"is of 0x50 pixels"},
                   [](NvBufSurface* batch) { batch->surfaceList[0].width = 0; });
    expect_refused(form, {"has 1 of 2 planes"},
                   [](NvBufSurface* batch) { batch->surfaceList[0].planeParams.num_planes = 1; });
}

TEST(what_cannot_be_mapped_is_told_and_leaves_nothing_mapped) {
    Form form;
    form.memory = NVBUF_MEM_SURFACE_ARRAY;
    for (const char* function : {"NvBufSurfaceMapEglImage", "cudaGraphicsEGLRegisterImage",
                                 "cudaGraphicsResourceGetMappedEglFrame"})
        expect_refused(form, {""}, [&](NvBufSurface*) { nvbuf::fail(function); });
    nvbuf::set_arrays(true);
    expect_refused(form, {"an array of CUDA's"});
    nvbuf::set_arrays(false);
    nvbuf::set_open_driver(true);
    expect_refused(form, {"NvBufSurfaceMapCudaBuffer failed"},
                   [](NvBufSurface*) { nvbuf::fail("NvBufSurfaceMapCudaBuffer"); });
    form.layout = NVBUF_LAYOUT_BLOCK_LINEAR;
    expect_refused(form, {"NvBufSurfTransform gives error -2"},
                   [](NvBufSurface*) { nvbuf::fail("NvBufSurfTransform"); });
    expect_refused(form, {"no memory for a frame of 70x50 pixels"},
                   [](NvBufSurface*) { nvbuf::fail("NvBufSurfaceCreate"); });
}

TEST(pictures_share_blocks_of_memory_that_go_with_the_last_of_them) {
    std::shared_ptr<unsigned char> kept;
    {
        const auto room = std::make_shared<PictureRoom>(0, kSide);
        std::vector<std::shared_ptr<unsigned char>> many;
        for (int i = 0; i < 33; ++i) many.push_back(room->take());
        EXPECT(device::live().memories == 2);
        many.clear();
        for (int i = 0; i < 64; ++i) many.push_back(room->take());
        EXPECT(device::live().memories == 2);
        kept = many.back();
    }
    EXPECT(device::live().memories == 2);
    kept.reset();
    EXPECT(device::live().memories == 0);
}

TEST(a_gpu_without_memory_for_views_says_so) {
    const auto room = std::make_shared<PictureRoom>(0, kSide);
    device::fail("cudaMalloc", cudaErrorMemoryAllocation);
    EXPECT_ERROR(room->take(), "reserving memory for 32 views", "out of memory");
}
