// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Lets nvpamtri write dumps on the fakes, with a bundle on the host's engine.
//
//     deepstream_tests dump BUNDLE FOLDER FORMAT-FAULT...
//
// Each dump goes to FOLDER/FORMAT-FAULT. Format and fault are keys of the tables below; the fault
// is one of the kernel that cuts views.
#include <functional>
#include <map>

#include "fake_kernels.hpp"
#include "fake_network.hpp"
#include "fake_nvbuf.hpp"
#include "pipeline.hpp"

using test::Form;

namespace {

using Options = pamtri::cuda::CropOptions;

const std::map<std::string, NvBufSurfaceColorFormat> kFormats = {
    {"nv12-601", NVBUF_COLOR_FORMAT_NV12},       {"nv12-709", NVBUF_COLOR_FORMAT_NV12_709},
    {"nv12-2020", NVBUF_COLOR_FORMAT_NV12_2020}, {"rgba", NVBUF_COLOR_FORMAT_RGBA},
    {"bgra", NVBUF_COLOR_FORMAT_BGRA},
};

const std::map<std::string, std::function<void(Options&)>> kFaults = {
    {"none", {}},
    {"matrix",
     [](Options& o) {
         o.conversion = o.conversion == pamtri::kBt601 ? pamtri::kBt709 : pamtri::kBt601;
     }},
    {"range", [](Options& o) { o.conversion = pamtri::kBt709Full; }},
    {"channels", [](Options& o) { o.swap_channels = !o.swap_channels; }},
};

/// A bundle on the host's engine, which is given what lies on the fake GPU.
class BundleNetwork : public pamtri::engines::Network {
  public:
    explicit BundleNetwork(const std::string& path)
        : inner_(Network::load(path, {"cpu", 1, "openvino"})) {}

    const pamtri::engines::Manifest& manifest() const override { return inner_->manifest(); }
    pamtri::engines::PictureSize picture_size() const override { return inner_->picture_size(); }
    const std::string& backend() const override { return inner_->backend(); }
    const std::string& arithmetic() const override { return inner_->arithmetic(); }
    std::vector<pamtri::engines::Answer> run(const std::uint8_t* pictures, int count) override {
        return inner_->run(pictures, count);
    }

    std::vector<pamtri::engines::Answer> run_on_device(int count, const pamtri::engines::Fill& fill,
                                                       pamtri::engines::Stream stream) override {
        const int area = picture_size().width * picture_size().height;
        const std::vector<float> planes = test::given(count, 3 * area, fill, stream);
        std::vector<std::uint8_t> pictures(planes.size());
        for (int item = 0; item < count; ++item)
            for (int c = 0; c < 3; ++c)
                for (int i = 0; i < area; ++i)
                    pictures[static_cast<std::size_t>(3 * (item * area + i) + c)] =
                        static_cast<std::uint8_t>(
                            planes[static_cast<std::size_t>((3 * item + c) * area + i)]);
        return inner_->run(pictures.data(), count);
    }

  private:
    const std::unique_ptr<Network> inner_;
};

/// Pixels that are colors in every conversion.
void paint(NvBufSurface* surface, unsigned index, const Form& form) {
    const test::Painted painted(form, index);
    const std::vector<std::uint8_t> all = painted.bytes();
    const std::size_t area = form.width * form.height;
    if (all.size() > 2 * area) return painted.put(surface, index);
    std::vector<std::uint8_t> luma, chroma;
    for (const std::uint8_t value : all)
        if (luma.size() < area)
            luma.push_back(static_cast<std::uint8_t>(64 + value / 2));
        else
            chroma.push_back(static_cast<std::uint8_t>(96 + value / 4));
    nvbuf::put(surface, index, 0, luma);
    nvbuf::put(surface, index, 1, chroma);
}

void write(const std::string& bundle, const std::string& folder, const Form& form) {
    const test::Surfaces surfaces = test::new_surfaces(2, form);
    for (unsigned i = 0; i < 2; ++i) paint(surfaces.get(), i, form);
    test::Pipeline pipeline(
        "nvpamtri sync=true min-side=8 max-wait=0 batch=3 bundle=" + bundle + " dump-dir=" + folder,
        form);
    for (int number = 0; number < 3; ++number) {
        test::Batch batch = test::new_batch();
        for (unsigned source = 0; source < 2; ++source) {
            NvDsFrameMeta* frame = test::add_frame(batch.get(), source, number);
            // Odd corners, and those of a frame whose sides are odd.
            test::add_object(frame, 1, {33, 21, 148, 97});
            test::add_object(frame, 2, {160.5, 60.25, 301, 161});
            test::add_object(frame, 3, {0, 80, 90.5, 161});
        }
        pipeline.through(std::move(batch), surfaces.get());
    }
    pipeline.send(gst_event_new_eos());
}

}  // namespace

int main(int count, char** arguments) {
    if (count < 2 || std::string(arguments[1]) != "dump")
        return test::run({arguments + 1, arguments + count});
    test::open_others_with(
        [](const std::string& bundle) -> std::unique_ptr<pamtri::engines::Network> {
            return std::make_unique<BundleNetwork>(bundle);
        });
    Form form;
    form.width = 301;
    form.height = 161;
    try {
        for (int i = 4; i < count; ++i) {
            const std::string name = arguments[i];
            const std::size_t hyphen = name.rfind('-');
            form.format = kFormats.at(name.substr(0, hyphen));
            kernels::fault() = kFaults.at(name.substr(hyphen + 1));
            write(arguments[2], std::string(arguments[3]) + "/" + name, form);
        }
    } catch (const test::Failed&) {
        return 1;
    }
    return 0;
}
