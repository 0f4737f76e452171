// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The building of an engine: for which batches, in which types, with which progress; and what is
// said of one that cannot be built.
#include <algorithm>
#include <stdexcept>

#include "check.hpp"
#include "engine_error.hpp"
#include "fake_tensorrt/fake_builder.hpp"
#include "sample.hpp"
#include "tensorrt_build.hpp"

using namespace sample;
using pamtri::engines::BuildProgress;
using pamtri::engines::BuildRequest;
using pamtri::engines::BuiltPlan;
using pamtri::engines::Cancelled;

namespace {

const std::string kNetwork = "onnx\n" + kTensors + "convolution\nend\n";

BuildRequest request(const std::string& network = kNetwork) {
    BuildRequest made;
    made.network = network;
    made.path = "street.pamtri/model.onnx";
    return made;
}

BuiltPlan build(const std::string& network) {
    return pamtri::engines::build_plan(request(network));
}

/// What is told of a build, and how it ended.
struct Told {
    std::vector<BuildProgress> progress;

    BuildRequest request() {
        BuildRequest made = ::request();
        made.watch.told = [this](const BuildProgress& one) { progress.push_back(one); };
        return made;
    }
};

}  // namespace

TEST(a_built_engine_is_a_plan_for_the_batches_of_every_engine) {
    const BuiltPlan built = build(kNetwork);
    const auto engine =
        pamtri::engines::load_tensorrt("street.engine", built.engine.plan, TensorRtOptions{});
    EXPECT((engine->batch_sizes() == std::vector<int>{1, 2, 4, 8, 16, 32}));
    EXPECT(built.engine.plan.find("profile 1 16 32\n") != std::string_view::npos);
    EXPECT(built.engine.layers == 1 && built.engine.via == "tensorrt");
}

TEST(the_files_types_are_kept_and_float32_is_computed_in_float32) {
    nvinfer1::take_builds();
    EXPECT(build(kNetwork).engine.arithmetic == "fp32");
    const nvinfer1::FakeBuilds builds = nvinfer1::take_builds();
    EXPECT(builds.flags == 2 && !builds.tf32 && builds.workspace == 0);
    EXPECT(build("onnx\n" + kTensors + "convolution\nconvolution half\n").engine.arithmetic ==
           "fp16");
    EXPECT(build("onnx\n" + kTensors + "convolution half\ndequantize\n").engine.arithmetic ==
           "int8");
}

TEST(the_working_memory_of_layers_can_be_limited) {
    nvinfer1::take_builds();
    BuildRequest limited = request();
    limited.workspace = 4096;
    pamtri::engines::build_plan(limited);
    EXPECT(nvinfer1::take_builds().workspace == 4096);
}

TEST(what_one_build_measured_serves_the_next_and_that_of_another_gpu_is_left_aside) {
    const BuiltPlan first = build(kNetwork);
    nvinfer1::take_builds();
    BuildRequest next = request();
    next.timing = first.engine.timing;
    pamtri::engines::build_plan(next);
    EXPECT(nvinfer1::take_builds().timed == 0);
    next.timing = "measured on another GPU";
    EXPECT(pamtri::engines::build_plan(next).engine.timing == first.engine.timing);
    EXPECT(nvinfer1::take_builds().timed == 4);
}

TEST(progress_is_told_by_phase_and_grows_to_the_whole) {
    Told told;
    pamtri::engines::build_plan(told.request());
    const auto& progress = told.progress;
    EXPECT(progress.front().phase == "Building engine" && progress.front().share == 0);
    EXPECT(progress[3].phase == "Timing tactics" && progress[3].done == 2 && progress[3].all == 4);
    EXPECT(progress[3].share == 0.25);
    EXPECT(progress.back().share == 1.0);
    EXPECT(std::is_sorted(progress.begin(), progress.end(),
                          [](const auto& a, const auto& b) { return a.share < b.share; }));
}

TEST(a_build_that_nobody_wants_any_more_ends_with_its_present_step) {
    Told told;
    BuildRequest unwanted = told.request();
    unwanted.watch.cancelled = [&] { return told.progress.size() >= 3; };
    nvinfer1::take_builds();
    bool cancelled = false;
    try {
        pamtri::engines::build_plan(unwanted);
    } catch (const Cancelled&) {
        cancelled = true;
    }
    const nvinfer1::FakeBuilds builds = nvinfer1::take_builds();
    EXPECT(cancelled && told.progress.size() == 3);
    EXPECT(builds.begun == 1 && builds.done == 0 && builds.timed < 4);
    unwanted.watch.cancelled = [] { return true; };
    EXPECT_ERROR(pamtri::engines::build_plan(unwanted), "was cancelled");
    EXPECT(nvinfer1::take_builds().begun == 0);
}

TEST(what_a_watch_throws_ends_the_build_and_passes_through) {
    BuildRequest watched = request();
    watched.watch.told = [](const BuildProgress&) { throw std::out_of_range("of the watch"); };
    std::string text;
    try {
        pamtri::engines::build_plan(watched);
    } catch (const std::out_of_range& error) {
        text = error.what();
    }
    EXPECT(text == "of the watch");
}

TEST(a_network_that_the_parser_refuses_is_told_with_node_and_line) {
    EXPECT_ERROR(build("onnx\n" + kTensors + "error 12 /stem/conv Conv no such kernel.\n"),
                 "TensorRT 10.3.0.26 cannot read street.pamtri/model.onnx: node 12 '/stem/conv' "
                 "(Conv): no such kernel [ModelImporter.cpp:836]",
                 "Export the bundle with this release");
    EXPECT_ERROR(build("onnx\nerror 3 a Relu one\nerror 4 b Add two\n"), "node 3 'a' (Relu): one",
                 "; node 4 'b' (Add): two");
    // Some releases tell the node themselves.
    EXPECT_ERROR(build("onnx\nerror 3 a Relu In node 3 with name: a: one\n"),
                 "model.onnx: In node 3 with name: a: one [");
    EXPECT_ERROR(build("none"), "cannot read street.pamtri/model.onnx: Failed to parse ONNX model");
}

TEST(a_network_of_one_batch_size_is_refused) {
    EXPECT_ERROR(build("onnx\ninput images float 3 2 2 batch 4\noutput embedding float 5\n"),
                 "takes its input 'images' in one batch size only", "1/16/32 8 16 32");
}

TEST(a_build_that_fails_is_told_with_its_reason_and_memory_that_ran_out_with_what_to_do) {
    nvinfer1::fail_builds("Could not find any implementation for node /stem/conv.");
    EXPECT_ERROR(build(kNetwork), "TensorRT 10.3.0.26 cannot build an engine of street.pamtri",
                 "implementation for node /stem/conv", "in another --precision");
    for (const char* words :
         {"Cuda Runtime (out of memory)", "OutOfMemory: requested 1 GiB", "std::bad_alloc"}) {
        nvinfer1::fail_builds(words);
        EXPECT_ERROR(build(kNetwork), words, "Memory ran out: close other programs");
    }
    nvinfer1::fail_builds("");
}

TEST(without_a_gpu_no_builder_is_even_made) {
    device::set_devices(0, cudaErrorNoDevice);
    EXPECT_ERROR(build(kNetwork), "there is no GPU 0");
    device::set_devices(1);
}
