// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// A network for tests, on the fake GPU and on the host, whose answers are numbers of the picture:
// means and a corner's pixel. Its bundle is a name: "fake" works, "slow" takes 30 ms a vehicle,
// "broken" fails when it runs, the engine of "unbuilt" is built first, "elsewhere" has none for
// this machine; others are not there.
#include "fake_network.hpp"

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
std::atomic<int> opened{0}, open{0}, batches{0}, built{0};
std::mutex mutex;
std::condition_variable changed;
bool held = false;
Open others = nullptr;

class FakeNetwork : public pamtri::engines::Network {
  public:
    explicit FakeNetwork(const std::string& name) : manifest_(fake_manifest(name)) {
        ++opened;
        ++open;
    }
    ~FakeNetwork() override { --open; }

    const pamtri::engines::Manifest& manifest() const override { return manifest_; }
    pamtri::engines::PictureSize picture_size() const override { return {kSide, kSide}; }
    const std::string& backend() const override { return word_; }
    const std::string& arithmetic() const override { return word_; }

    std::vector<pamtri::engines::Answer> run(const std::uint8_t* pictures, int count) override {
        if (manifest_.name == "slow")
            std::this_thread::sleep_for(std::chrono::milliseconds(30 * count));
        return answers(count, [pictures](int item, int pixel, int channel) {
            return pictures[item * kValues + 3 * pixel + channel];
        });
    }

    std::vector<pamtri::engines::Answer> run_on_device(int count, const pamtri::engines::Fill& fill,
                                                       pamtri::engines::Stream stream) override {
        const std::vector<float> planes = given(count, kValues, fill, stream);
        ++batches;
        return answers(count, [&planes](int item, int pixel, int channel) {
            return planes[item * kValues + channel * kSide * kSide + pixel];
        });
    }

  private:
    template <typename Value>
    std::vector<pamtri::engines::Answer> answers(int count, const Value& value) const {
        if (manifest_.name == "broken")
            throw pamtri::engines::EngineError("the engine fell over; restart the pipeline.");
        std::vector<pamtri::engines::Answer> all;
        for (int item = 0; item < count; ++item)
            all.push_back(fake_answer([&](int pixel, int channel) {
                return static_cast<double>(value(item, pixel, channel));
            }));
        return all;
    }

    pamtri::engines::Manifest manifest_;
    const std::string word_ = "fake";
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

Networks networks() { return {opened, open, batches, built}; }

void open_others_with(Open open_one) { others = open_one; }

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

void hold_loading(bool hold) {
    const std::lock_guard<std::mutex> lock(mutex);
    held = hold;
    changed.notify_all();
}

}  // namespace test

namespace pamtri::gst {

std::unique_ptr<engines::Network> open_network(const std::string& bundle,
                                               const engines::NetworkOptions& options) {
    if (options.device != "auto" && options.device.rfind("cuda:", 0) != 0)
        throw engines::EngineError("device is '" + options.device + "'; expected 'auto'.");
    if (bundle == "unbuilt") {
        test::build(options);
        return std::make_unique<test::FakeNetwork>(bundle);
    }
    std::unique_lock<std::mutex> lock(test::mutex);
    test::changed.wait(lock, [] { return !test::held; });
    if (bundle == "fake" || bundle == "slow" || bundle == "broken")
        return std::make_unique<test::FakeNetwork>(bundle);
    if (bundle == "elsewhere")
        throw engines::EngineError(bundle + " has no engine of model.onnx for this machine (" +
                                   options.device + "): a.engine: the GPU was 'A', is 'B'.");
    if (test::others) return test::others(bundle);
    throw engines::BundleError("there is no bundle " + bundle + "; make one: pamtri-export.");
}

bool may_build(const engines::NetworkOptions&) { return true; }

}  // namespace pamtri::gst
