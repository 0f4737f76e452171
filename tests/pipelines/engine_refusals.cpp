// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The TensorRT engine, loading: in what order, into what memory; and what it refuses, loading and
// running.
#include <algorithm>

#include "check.hpp"
#include "engine_error.hpp"
#include "fake_tensorrt/network.hpp"
#include "sample.hpp"

using namespace sample;

namespace {

std::vector<std::string> lines_from(const std::string& line) {
    const std::vector<std::string> all = device::journal();
    return {std::find(all.begin(), all.end(), line), all.end()};
}

void run_once(Engine& engine) {
    const Stream stream;
    const Batch batch(8, 1);
    Room room(8);
    engine.run(8, batch.inputs(), room.output(), stream);
    stream.finish();
    EXPECT(room.holds(batch.embedding));
}

}  // namespace

TEST(the_sizes_are_those_of_the_profiles_and_the_powers_of_two_below) {
    EXPECT((load(text())->batch_sizes() == std::vector<int>{1, 2, 4, 8, 16, 32}));
    EXPECT((load(text(kTensors, "profile 1 16 24\n"))->batch_sizes() ==
            std::vector<int>{1, 2, 4, 8, 16, 24}));
    EXPECT((load(text(kTensors, "profile 5 5 5\n"))->batch_sizes() == std::vector<int>{5}));
    EXPECT((load(text(kTensors, "profile 3 4 6\nprofile 12 12 12\n"))->batch_sizes() ==
            std::vector<int>{3, 4, 6, 12}));
}

TEST(a_size_with_a_profile_of_its_own_uses_that) {
    device::clear_journal();
    const auto engine = load(text());
    const auto all = device::journal();
    std::vector<std::string> profiles;
    for (const std::string& line : all) {
        if (line.rfind("setOptimizationProfileAsync", 0) == 0) profiles.push_back(line.substr(28));
    }
    EXPECT((profiles == std::vector<std::string>{"0", "0", "0", "1", "2", "3"}));
}

TEST(a_context_is_given_its_profile_then_its_shapes_then_memory_then_addresses) {
    device::clear_journal();
    const auto engine = load(text(kTensors, "profile 8 8 8\nmemory 2000\n"));
    const auto lines = lines_from("createExecutionContext");
    EXPECT((lines ==
            std::vector<std::string>{"createExecutionContext", "cudaStreamCreateWithFlags",
                                     "setOptimizationProfileAsync 0", "cudaStreamSynchronize",
                                     "setInputShape images 8", "setInputShape crop_size 8",
                                     "setDeviceMemoryV2 2000", "setTensorAddress images",
                                     "setTensorAddress crop_size", "setTensorAddress embedding",
                                     "setTensorAddress quality"}));
}

TEST(all_sizes_share_one_working_memory_and_one_memory_a_tensor) {
    device::clear_journal();
    const auto engine = load(text());
    EXPECT(noted("cudaMalloc") == 5);
    EXPECT(noted("cudaMalloc 9000") == 1);
    EXPECT(device::bytes() == 9000 + 32 * 4 * (12 + 2 + 5 + 1));
}

TEST(a_network_without_working_memory_is_given_none) {
    const auto engine = load(text(kTensors, "profile 8 8 8\n"));
    EXPECT(noted("setDeviceMemoryV2 0") == 1);
    run_once(*engine);
}

TEST(the_engine_goes_before_the_runtime_and_after_its_contexts) {
    {
        const auto engine = load(text(kTensors, "profile 8 8 8\n"));
    }
    const auto lines = device::journal();
    std::vector<std::string> gone;
    for (const std::string& line : lines) {
        if (line[0] == '~') gone.push_back(line);
    }
    EXPECT((gone == std::vector<std::string>{"~IExecutionContext", "~ICudaEngine", "~IRuntime"}));
}

TEST(what_tensorrt_says_reaches_the_log) {
    std::string info;
    TensorRtOptions options;
    options.log = [&](pamtri::engines::LogLevel level, const std::string& line) {
        if (level == pamtri::engines::LogLevel::kInfo) info += line;
    };
    load(text(), options);
    EXPECT(info == "Loaded engine size: a few bytes");
}

TEST(a_log_that_throws_harms_nothing) {
    TensorRtOptions options;
    options.log = [](pamtri::engines::LogLevel, const std::string&) { throw 1; };
    run_once(*load(text(), options));
}

TEST(without_a_driver_tensorrt_is_not_even_touched) {
    device::clear_journal();
    device::set_devices(0, cudaErrorInsufficientDriver);
    EXPECT_ERROR(load(text()), "no NVIDIA driver");
    device::set_devices(0, cudaErrorNoDevice);
    EXPECT_ERROR(load(text()), "no GPU 0", "finds 0");
    EXPECT(noted("createInferRuntime") == 0);
}

TEST(a_gpu_that_is_not_there_is_refused) {
    TensorRtOptions options;
    options.device = 1;
    EXPECT_ERROR(load(text(), options), "no GPU 1", "finds 1");
    options.device = -1;
    EXPECT_ERROR(load(text(), options), "no GPU -1");
}

TEST(a_file_that_cannot_be_read_is_named) {
    EXPECT_ERROR(pamtri::engines::load_tensorrt("/nowhere/a.engine"), "/nowhere/a.engine",
                 "cannot be read");
    EXPECT_ERROR(pamtri::engines::load_tensorrt("/tmp"), "/tmp", "cannot be read");
}

TEST(a_file_cut_short_or_of_another_kind_is_refused_in_tensorrts_words) {
    const std::string whole = text();
    EXPECT_ERROR(load(whole.substr(0, whole.size() - 5)), "cut short", "the stream ended too early",
                 "Build it again");
    EXPECT_ERROR(load(""), "magicTag", "Build it again");
    EXPECT_ERROR(load("something else"), "10.3.0.26", "magicTag");
}

TEST(an_engine_of_another_gpu_is_refused_in_tensorrts_words) {
    EXPECT_ERROR(load("engine\ngpu 9.0\nend\n"), "built for compute 9.0", "Build it again");
}

TEST(another_major_version_than_it_was_compiled_for_is_refused) {
    nvinfer1::set_library_version(11);
    EXPECT_ERROR(load(text()), "TensorRT 11.3.0.26 is loaded", "compiled for 10");
    nvinfer1::set_library_version(NV_TENSORRT_MAJOR);
}

TEST(a_network_of_another_form_is_refused) {
    EXPECT_ERROR(load(text("input images float -1 2\noutput a float 1\n")), "'images'", "-1x-1x2");
    EXPECT_ERROR(load(text("input images int32 3\noutput a float 1\n")), "neither float32");
    EXPECT_ERROR(load(text("input images float 3 host\noutput a float 1\n")), "on the host");
    EXPECT_ERROR(load(text("input images float 3 chw2\noutput a float 1\n")), "not laid out");
    EXPECT_ERROR(load(text("input images float 3\n")), "no outputs");
    EXPECT_ERROR(load(text("output a float 1\n")), "no inputs");
    EXPECT_ERROR(load(text(kTensors, "")), "no optimization profile");
    EXPECT_ERROR(load(text("input images float 3\noutput a float 1 one\n")), "'a'",
                 "an item for each");
    EXPECT_ERROR(load(text(kTensors, "profile 1 2 4 crop_size 1 2 3\n")), "different batches",
                 "profile 0");
}

TEST(every_allocation_that_fails_while_loading_is_an_error_and_leaves_nothing) {
    for (const char* function : {"cudaMalloc", "cudaMemsetAsync", "cudaStreamCreateWithFlags",
                                 "cudaEventCreateWithFlags", "cudaStreamSynchronize"}) {
        int nth = 0;
        for (;; ++nth) {
            device::fail(function, cudaErrorMemoryAllocation, nth);
            try {
                load(text());
                break;  // it was not called so often
            } catch (const pamtri::engines::EngineError& error) {
                EXPECT(std::string(error.what()).find("out of memory") != std::string::npos);
            }
            EXPECT(device::live().none());
        }
        EXPECT(nth > 0);
        EXPECT(cudaGetLastError() == cudaSuccess);
        device::fail(function, cudaSuccess);
    }
}

TEST(too_little_memory_says_how_much_was_wanted) {
    device::fail("cudaMalloc", cudaErrorMemoryAllocation, 4);
    EXPECT_ERROR(load(text(kTensors, "profile 8 8 8\nmemory 9000000\n")), "8 MiB of working memory",
                 "cudaErrorMemoryAllocation");
}

TEST(a_batch_of_no_or_too_many_items_is_refused) {
    const auto engine = load(text());
    const Batch batch(33, 1);
    Room room(33);
    for (const int count : {0, -1, 33}) {
        EXPECT_ERROR(engine->run(count, batch.inputs(), room.output(), nullptr),
                     "batch of " + std::to_string(count), "1 to 32");
    }
}

TEST(tensors_that_do_not_fit_are_refused_by_name_before_anything_runs) {
    const auto engine = load(text());
    const Batch batch(2, 1);
    Room room(2);
    const float* images = batch.images.data();
    const Input good{"crop_size", batch.sizes.data(), Place::kHost};
    device::clear_journal();
    EXPECT_ERROR(engine->run(2, {{"image", images, Place::kHost}, good}, {}, nullptr),
                 "no input 'image'", "'images', 'crop_size'");
    EXPECT_ERROR(engine->run(2, {good}, {}, nullptr), "input 'images' is missing");
    EXPECT_ERROR(engine->run(2, {good, good}, {}, nullptr), "more than once");
    EXPECT_ERROR(engine->run(2, {{"images", nullptr, Place::kHost}, good}, {}, nullptr), "is null");
    EXPECT_ERROR(
        engine->run(2, batch.inputs(), {{"color", room.values.data(), Place::kHost}}, nullptr),
        "no output 'color'", "'embedding', 'quality'");
    EXPECT_ERROR(engine->run(2, batch.inputs(), {{"embedding", nullptr, Place::kHost}}, nullptr),
                 "is null");
    EXPECT_ERROR(engine->memory("color"), "no tensor 'color'", "'embedding'");
    EXPECT(device::journal().empty());
    run_once(*engine);
}

TEST(a_tensor_said_to_lie_where_it_does_not_is_an_error_of_cuda) {
    const auto engine = load(text());
    const Batch batch(2, 1);
    EXPECT_ERROR(engine->run(2,
                             {{"images", batch.images.data(), Place::kDevice},
                              {"crop_size", batch.sizes.data(), Place::kHost}},
                             {}, nullptr),
                 "copying 'images'", "CUDA reports");
    run_once(*engine);
}

TEST(a_run_that_tensorrt_refuses_is_told_in_its_words_and_the_next_one_runs) {
    const auto engine = load(text());
    const Batch batch(8, 1);
    nvinfer1::fail_enqueue(0, "Cuda failure: an illegal memory access");
    EXPECT_ERROR(engine->run(8, batch.inputs(), {}, nullptr), "batch 8", "cannot enqueue",
                 "illegal memory access");
    for (int i = 0; i < 3; ++i) run_once(*engine);
}

TEST(every_call_of_cuda_that_fails_while_running_is_an_error_and_the_next_run_is_right) {
    const auto engine = load(text());
    for (int i = 0; i < 3; ++i) run_once(*engine);
    const Batch batch(8, 1);
    Room room(8);
    for (const char* function :
         {"cudaStreamWaitEvent", "cudaMemcpyAsync", "cudaEventRecord", "cudaGraphLaunch"}) {
        device::fail(function, cudaErrorIllegalAddress);
        EXPECT_ERROR(engine->run(8, batch.inputs(), room.output(), nullptr), "CUDA reports");
        cudaStreamSynchronize(nullptr);
        for (int i = 0; i < 2; ++i) run_once(*engine);
    }
}
