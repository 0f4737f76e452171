// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// A network for tests, whose answers are numbers of the picture: means and a corner's pixel. Its
// bundle is a name: "fake" works, "slow" takes 30 ms a vehicle, "broken" fails when it runs, the
// engine of "unbuilt" is built first; others are not there.
#include "fake_network.hpp"

#include <atomic>
#include <chrono>
#include <cmath>
#include <thread>

#include "fake_answers.hpp"
#include "networks.hpp"

namespace test {

namespace {

std::atomic<int> opened{0}, open{0}, described{0};

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
        std::vector<pamtri::engines::Answer> answers;
        for (int i = 0; i < count; ++i) answers.push_back(answer(pictures + i * 3 * kSide * kSide));
        described += count;
        if (manifest_.name == "slow")
            std::this_thread::sleep_for(std::chrono::milliseconds(30 * count));
        if (manifest_.name == "broken")
            throw pamtri::engines::EngineError("the engine fell over; restart the pipeline.");
        return answers;
    }

  private:
    static pamtri::engines::Answer answer(const std::uint8_t* picture) {
        return fake_answer(
            [picture](int pixel, int channel) { return picture[3 * pixel + channel]; });
    }

    pamtri::engines::Manifest manifest_;
    const std::string word_ = "fake";
};

std::atomic<bool> held{false};

/// Build an engine in four steps; while builds are held it stays in the third.
void build(const pamtri::engines::NetworkOptions& options) {
    namespace engines = pamtri::engines;
    if (!options.build)
        throw engines::EngineError("there is no engine, and none may be built (build-engine=true)");
    for (int step = 0; step < 4; ++step) {
        options.watch.told({"Timing tactics", step, 4, step / 4.0});
        while (step == 2 && held && !options.watch.cancelled())
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        if (options.watch.cancelled()) throw engines::Cancelled();
    }
}

}  // namespace

void hold_builds(bool hold) { held = hold; }
int networks_opened() { return opened; }
int networks_open() { return open; }
int views_described() { return described; }

}  // namespace test

namespace pamtri::gst {

std::unique_ptr<engines::Network> open_network(const std::string& bundle,
                                               const engines::NetworkOptions& options) {
    if (bundle == "unbuilt")
        test::build(options);
    else if (bundle != "fake" && bundle != "slow" && bundle != "broken")
        throw engines::BundleError("there is no bundle " + bundle + "; make one: pamtri-export.");
    if (options.device != "auto")
        throw engines::EngineError("device is '" + options.device + "'; expected 'auto'.");
    return std::make_unique<test::FakeNetwork>(bundle);
}

bool may_build(const engines::NetworkOptions&) { return true; }

}  // namespace pamtri::gst
