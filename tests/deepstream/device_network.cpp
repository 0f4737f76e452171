// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// A network for tests, on the fake GPU and on the host, whose answers are numbers of the picture.
// Its bundle is a name: "fake" works, "broken" fails when it runs, that of "unbuilt" is built
// first, FOLDER.pamtri is a real one on the host's engine; of others there is no engine.
#include "device_network.hpp"

#include <cuda_runtime_api.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "cuda_resources.hpp"
#include "fake_answers.hpp"
#include "networks.hpp"

namespace test {

namespace {

constexpr int kValues = 3 * kSide * kSide;
std::atomic<int> opened{0}, open{0}, described{0}, batches{0}, built{0};
std::mutex mutex;
std::condition_variable changed;
bool held = false;

/// What a network's input on the GPU is filled with.
std::vector<float> given(int count, int values, const pamtri::engines::Fill& fill,
                         pamtri::engines::Stream stream) {
    namespace engines = pamtri::engines;
    std::vector<float> planes(static_cast<std::size_t>(count) * static_cast<std::size_t>(values));
    const std::size_t bytes = planes.size() * sizeof(float);
    const engines::DeviceMemory memory = engines::new_memory(bytes, "reserving an input");
    fill(0, count, static_cast<float*>(memory.get()), stream);
    const auto cuda = static_cast<cudaStream_t>(stream);
    engines::check(
        cudaMemcpyAsync(planes.data(), memory.get(), bytes, cudaMemcpyDeviceToHost, cuda),
        "reading");
    engines::check(cudaStreamSynchronize(cuda), "reading");
    return planes;
}

class DeviceNetwork : public pamtri::engines::Network {
  public:
    explicit DeviceNetwork(const std::string& name) : manifest_(fake_manifest(name)) {
        ++opened;
        ++open;
    }
    ~DeviceNetwork() override { --open; }

    const pamtri::engines::Manifest& manifest() const override { return manifest_; }
    pamtri::engines::PictureSize picture_size() const override { return {kSide, kSide}; }
    const std::string& backend() const override { return word_; }
    const std::string& arithmetic() const override { return word_; }

    std::vector<pamtri::engines::Answer> run(const std::uint8_t* pictures, int count) override {
        std::vector<pamtri::engines::Answer> answers;
        for (int item = 0; item < count; ++item, pictures += kValues) {
            std::vector<float> planes(kValues);
            for (int i = 0; i < kSide * kSide; ++i)
                for (int c = 0; c < 3; ++c) planes[c * kSide * kSide + i] = pictures[3 * i + c];
            answers.push_back(answer(planes.data()));
        }
        return answers;
    }

    std::vector<pamtri::engines::Answer> run_on_device(int count, const pamtri::engines::Fill& fill,
                                                       pamtri::engines::Stream stream) override {
        namespace engines = pamtri::engines;
        const std::vector<float> planes = given(count, kValues, fill, stream);
        if (manifest_.name == "broken")
            throw engines::EngineError("the engine fell over; restart the pipeline.");
        described += count;
        ++batches;
        std::vector<engines::Answer> answers;
        for (int i = 0; i < count; ++i) answers.push_back(answer(planes.data() + i * kValues));
        return answers;
    }

  private:
    static pamtri::engines::Answer answer(const float* planes) {
        return fake_answer(
            [planes](int pixel, int channel) { return planes[channel * kSide * kSide + pixel]; });
    }

    pamtri::engines::Manifest manifest_;
    const std::string word_ = "fake";
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
        const std::vector<float> planes = given(count, 3 * area, fill, stream);
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

/// Build an engine in four steps; while networks are held it stays in the third.
void build(const pamtri::engines::NetworkOptions& options) {
    namespace engines = pamtri::engines;
    if (!options.build)
        throw engines::EngineError("there is no engine, and none may be built (build-engine=true)");
    options.watch.warned("building an engine");
    for (int step = 0; step < 4; ++step) {
        options.watch.told({"Timing tactics", step, 4, step / 4.0});
        std::unique_lock<std::mutex> lock(mutex);
        while (step == 2 && held && !options.watch.cancelled())
            changed.wait_for(lock, std::chrono::milliseconds(5));
        if (options.watch.cancelled()) throw engines::Cancelled();
    }
    ++built;
}

}  // namespace

Networks networks() { return {opened, open, described, batches, built}; }

void hold_loading(bool hold) {
    const std::lock_guard<std::mutex> lock(mutex);
    held = hold;
    changed.notify_all();
}

}  // namespace test

namespace pamtri::gst {

std::unique_ptr<engines::Network> open_network(const std::string& bundle,
                                               const engines::NetworkOptions& options) {
    if (bundle == "unbuilt") {
        test::build(options);
        return std::make_unique<test::DeviceNetwork>(bundle);
    }
    std::unique_lock<std::mutex> lock(test::mutex);
    test::changed.wait(lock, [] { return !test::held; });
    const std::string ending = ".pamtri";
    if (bundle.size() > ending.size() && bundle.substr(bundle.size() - ending.size()) == ending)
        return std::make_unique<test::BundleNetwork>(bundle);
    if (bundle != "fake" && bundle != "broken")
        throw engines::EngineError(bundle + " has no engine of model.onnx for this machine (" +
                                   options.device + "): a.engine: the GPU was 'A', is 'B'.");
    return std::make_unique<test::DeviceNetwork>(bundle);
}

bool may_build(const engines::NetworkOptions&) { return true; }

}  // namespace pamtri::gst
