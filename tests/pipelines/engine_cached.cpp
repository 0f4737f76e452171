// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// A bundle's engine on the disk: built where there is none, taken where there is one, by one at a
// time, and never half there.
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "check.hpp"
#include "engine_error.hpp"
#include "engine_files.hpp"
#include "fake_tensorrt/fake_builder.hpp"
#include "sample.hpp"
#include "tensorrt_candidate.hpp"

namespace fs = std::filesystem;
using namespace sample;
using pamtri::engines::BuildProgress;
using pamtri::engines::Bundle;
using pamtri::engines::Cancelled;
using pamtri::engines::Candidate;
using pamtri::engines::NetworkOptions;

namespace {

/// A bundle in a folder of its own, and a user's cache beside it.
class Street {
  public:
    Street() {
        std::string name = "/tmp/pamtri-cached-XXXXXX";
        if (!mkdtemp(name.data())) std::abort();
        root_ = name;
        bundle.path = (root_ / "street.pamtri").string();
        bundle.network = "onnx\n" + kTensors + "convolution half\nend\n";
        bundle.manifest.precision = "fp16";
        bundle.manifest.files = {{"model.onnx", std::string(64, 'a')}};
        fs::create_directories(bundle.path);
        setenv("PAMTRI_CACHE", (root_ / "cache").c_str(), 1);
        nvinfer1::take_builds();
    }
    ~Street() {
        unsetenv("PAMTRI_CACHE");
        fs::remove_all(root_);
    }

    fs::path engines() const { return fs::path(bundle.path) / "engines"; }
    fs::path cache() const { return root_ / "cache"; }

    Candidate open(const NetworkOptions& options = {}) const {
        return pamtri::engines::tensorrt_candidate(bundle, 0, options);
    }

    /// How often an engine was built since this was last asked.
    static int built() { return nvinfer1::take_builds().done; }

    std::vector<fs::path> files(const std::string& ending, fs::path folder = {}) const {
        if (folder.empty()) folder = engines();
        std::vector<fs::path> found;
        if (fs::is_directory(folder))
            for (const auto& entry : fs::directory_iterator(folder))
                if (entry.path().extension() == ending) found.push_back(entry.path());
        return found;
    }

    Bundle bundle;

  private:
    fs::path root_;
};

NetworkOptions unbuilt() {
    NetworkOptions options;
    options.build = false;
    return options;
}

}  // namespace

TEST(an_engine_is_built_where_there_is_none_and_taken_where_there_is_one) {
    const Street place;
    {
        const Candidate made = place.open();
        EXPECT(made.arithmetic == "fp16" && made.device == "cuda:0");
    }
    EXPECT(place.built() == 1);
    EXPECT(place.files(".engine").size() == 1 && place.files(".json").size() == 1);
    EXPECT(place.files(".timing").size() == 1 && place.files(".tmp").empty());
    EXPECT(place.open(unbuilt()).arithmetic == "fp16");
    EXPECT(place.built() == 0);
}

TEST(an_engine_of_another_network_stays_and_one_is_built) {
    Street place;
    place.open();
    place.bundle.manifest.files = {{"model.onnx", std::string(64, 'b')}};
    EXPECT_ERROR(place.open(unbuilt()), "was built for something else: the network was aaaa",
                 "build-engine=true");
    std::vector<std::string> warnings;
    NetworkOptions options;
    options.watch.warned = [&](const std::string& text) { warnings.push_back(text); };
    place.open(options);
    EXPECT(place.built() == 2);
    EXPECT(place.files(".engine").size() == 2);
    EXPECT(warnings.size() == 1);
    EXPECT(warnings[0].find("building an engine of model.onnx with TensorRT 10.3.0.26, which can "
                            "take minutes: the one that is there was built for") == 0);
}

TEST(without_leave_to_build_it_is_said_what_is_there_and_what_to_do) {
    const Street place;
    EXPECT_ERROR(place.open(unbuilt()), "there is no engine of model.onnx for this machine in ",
                 "none has been built yet. Allow it to be built, which takes minutes "
                 "(build-engine=true)",
                 "pamtri-export with --engine");
    EXPECT(!fs::exists(place.engines()));
}

TEST(an_engine_that_is_not_whole_is_told_and_built_anew) {
    const Street place;
    place.open();
    place.built();
    const fs::path path = place.files(".engine").front();
    std::ofstream(path) << "half";
    EXPECT_ERROR(place.open(unbuilt()), path.string() + " is truncated or damaged: it has 4 bytes");
    place.open();
    EXPECT(place.built() == 1);
    place.open(unbuilt());
}

TEST(a_build_that_was_cancelled_or_failed_leaves_nothing_behind) {
    const Street place;
    NetworkOptions options;
    options.watch.told = [](const BuildProgress&) {};
    int asked = 0;
    options.watch.cancelled = [&] { return ++asked > 3; };
    EXPECT_ERROR(place.open(options), "was cancelled");
    nvinfer1::fail_builds("Cuda Runtime (out of memory)");
    EXPECT_ERROR(place.open(), "Memory ran out");
    nvinfer1::fail_builds("");
    for (const char* ending : {".engine", ".json", ".tmp", ".timing"})
        EXPECT(place.files(ending).empty());
    place.open();
    EXPECT(place.built() == 1);
}

TEST(engines_lie_in_the_users_cache_where_the_bundle_cannot_be_written) {
    const Street place;
    std::ofstream(place.engines()) << "not a folder";
    std::vector<std::string> warnings;
    NetworkOptions options;
    options.watch.warned = [&](const std::string& text) { warnings.push_back(text); };
    place.open(options);
    EXPECT(place.files(".engine", place.cache() / "engines").size() == 1);
    EXPECT(warnings.front().find("cannot be written; engines are kept in " +
                                 (place.cache() / "engines").string()) != std::string::npos);
    EXPECT(place.built() == 1);
    place.open(unbuilt());
}

TEST(no_place_for_engines_is_told_before_one_is_built) {
    const Street place;
    std::ofstream(place.engines()) << "not a folder";
    std::ofstream(place.cache()) << "not a folder";
    EXPECT_ERROR(place.open(), "there is no place to keep an engine: ", "(Not a directory) and ",
                 "PAMTRI_CACHE");
    EXPECT(nvinfer1::take_builds().begun == 0);
}

TEST(a_disk_that_takes_no_engine_costs_the_engine_on_disk_only) {
    const Street place;
    place.open();
    const fs::path path = place.files(".engine").front();
    fs::remove(path);
    fs::create_directory(path);
    std::vector<std::string> warnings;
    NetworkOptions options;
    options.watch.warned = [&](const std::string& text) { warnings.push_back(text); };
    EXPECT(place.open(options).engine->max_batch() == 32);
    EXPECT(warnings.back() ==
           "the engine was built, but " + path.string() + " cannot be written (Is a directory)");
    EXPECT(place.files(".tmp").empty());
}

TEST(of_two_at_once_one_builds_and_the_other_waits_for_it) {
    const Street place;
    std::atomic<bool> begun{false}, waits{false};
    nvinfer1::at_steps([&] {
        begun = true;
        for (int i = 0; i < 500 && !waits; ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
    });
    std::thread first([&] { place.open(); });
    while (!begun) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    NetworkOptions options;
    std::vector<std::string> phases;
    options.watch.told = [&](const BuildProgress& one) {
        phases.push_back(one.phase);
        waits = true;
    };
    std::thread second([&] { place.open(options); });
    first.join();
    second.join();
    nvinfer1::at_steps({});
    EXPECT(place.built() == 1);
    EXPECT((phases == std::vector<std::string>{"Waiting for another process that builds it"}));
}

TEST(who_waits_for_anothers_build_can_be_stopped) {
    const Street place;
    std::atomic<bool> begun{false}, over{false};
    nvinfer1::at_steps([&] {
        begun = true;
        while (!over) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    });
    std::thread first([&] { place.open(); });
    while (!begun) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    NetworkOptions options;
    options.watch.cancelled = [] { return true; };
    bool cancelled = false;
    try {
        place.open(options);
    } catch (const Cancelled&) {
        cancelled = true;
    }
    over = true;
    first.join();
    nvinfer1::at_steps({});
    EXPECT(cancelled && place.built() == 1);
}
