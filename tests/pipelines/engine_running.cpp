// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The TensorRT engine, running: what it computes, when, on which stream, from which memory.
#include <algorithm>
#include <thread>

#include "check.hpp"
#include "fake_tensorrt/network.hpp"
#include "sample.hpp"

using namespace sample;

namespace {

/// Run a batch on a stream and wait for it.
bool gives_what_it_should(Engine& engine, const Batch& batch, const Stream& stream) {
    Room room(batch.count);
    engine.run(batch.count, batch.inputs(), room.output(), stream);
    stream.finish();
    return room.holds(batch.embedding);
}

}  // namespace

void test::afterwards() {
    if (!device::live().none()) fail(__FILE__, __LINE__, "something of the device is left");
    device::set_devices(1);
    device::clear_journal();
}

TEST(an_item_gives_what_the_network_makes_of_it) {
    const auto engine = load(text());
    EXPECT(gives_what_it_should(*engine, Batch(1, 1), Stream()));
}

TEST(a_batch_of_every_size_gives_the_same_run_by_run_and_replayed) {
    const auto engine = load(text());
    const Stream stream;
    for (int round = 0; round < 3; ++round) {
        for (int count = 1; count <= engine->max_batch(); ++count) {
            const int mixed = 1 + (count * 13 + round) % engine->max_batch();
            EXPECT(gives_what_it_should(*engine, Batch(mixed, 100 * round + count), stream));
        }
    }
}

TEST(nothing_is_written_before_the_stream_gets_there) {
    const auto engine = load(text());
    const Stream stream;
    const Batch batch(3, 2);
    Room room(3);
    engine->run(3, batch.inputs(), room.output(), stream);
    EXPECT(room.holds({}));
    stream.finish();
    EXPECT(room.holds(batch.embedding));
}

TEST(running_waits_for_nothing) {
    const auto engine = load(text());
    const Stream stream;
    const Batch batch(8, 2);
    Room room(8);
    device::clear_journal();
    for (int i = 0; i < 4; ++i) engine->run(8, batch.inputs(), room.output(), stream);
    EXPECT(noted("cudaStreamSynchronize") == 0 && noted("cudaEventSynchronize") == 0);
    EXPECT(noted("cudaMalloc") == 0);
    stream.finish();
}

TEST(tensors_of_the_device_are_read_and_written_there) {
    const auto engine = load(text());
    const Stream stream;
    const Batch batch(5, 3);
    const Memory images(batch.images.size() * 4), sizes(batch.sizes.size() * 4), found(5 * 20);
    cudaMemcpyAsync(images.get(), batch.images.data(), batch.images.size() * 4,
                    cudaMemcpyHostToDevice, stream.get());
    cudaMemcpyAsync(sizes.get(), batch.sizes.data(), batch.sizes.size() * 4, cudaMemcpyHostToDevice,
                    stream.get());
    device::clear_journal();
    engine->run(
        5, {{"images", images.get(), Place::kDevice}, {"crop_size", sizes.get(), Place::kDevice}},
        {{"embedding", found.get(), Place::kDevice}}, stream);
    EXPECT(noted("cudaMemcpyAsync device>device") == 3 && noted("cudaMemcpyAsync") == 3);
    Room room(5);
    cudaMemcpyAsync(room.values.data(), found.get(), 5 * 20, cudaMemcpyDeviceToHost, stream.get());
    stream.finish();
    EXPECT(room.holds(batch.embedding));
}

TEST(what_lies_in_the_engines_own_memory_is_not_copied) {
    const auto engine = load(text());
    const Stream stream;
    const Batch batch(7, 4);
    void* images = engine->memory("images");
    cudaMemcpyAsync(images, batch.images.data(), batch.images.size() * 4, cudaMemcpyHostToDevice,
                    stream.get());
    device::clear_journal();
    engine->run(
        7, {{"images", images, Place::kDevice}, {"crop_size", batch.sizes.data(), Place::kHost}},
        {{"embedding", engine->memory("embedding"), Place::kDevice}}, stream);
    EXPECT(noted("cudaMemcpyAsync") == 1);  // crop_size
    Room room(7);
    cudaMemcpyAsync(room.values.data(), engine->memory("embedding"), 7 * 20, cudaMemcpyDeviceToHost,
                    stream.get());
    stream.finish();
    EXPECT(room.holds(batch.embedding));
}

TEST(only_the_outputs_that_are_wanted_are_copied) {
    const auto engine = load(text());
    const Stream stream;
    const Batch batch(2, 5);
    device::clear_journal();
    engine->run(2, batch.inputs(), {}, stream);
    EXPECT(noted("cudaMemcpyAsync device>host") == 0);
    std::vector<float> quality(2), embedding(10);
    engine->run(
        2, batch.inputs(),
        {{"quality", quality.data(), Place::kHost}, {"embedding", embedding.data(), Place::kHost}},
        stream);
    stream.finish();
    EXPECT(quality[0] == batch.embedding[0] && quality[1] == batch.embedding[5]);
    EXPECT(embedding == batch.embedding);
}

TEST(a_batch_is_filled_up_to_the_next_size_and_only_its_own_items_are_copied) {
    const auto engine = load(text());
    const Stream stream;
    const Batch batch(11, 6);
    Room room(11);
    device::clear_journal();
    engine->run(11, batch.inputs(), room.output(), stream);
    EXPECT(noted("enqueueV3 16") == 1);
    EXPECT(noted("cudaMemcpyAsync host>device " + std::to_string(11 * kImage * 4)) == 1);
    EXPECT(noted("cudaMemcpyAsync device>host " + std::to_string(11 * 20)) == 1);
    stream.finish();
    EXPECT(room.holds(batch.embedding));
}

TEST(rows_that_fill_a_batch_up_hold_zeros_at_first) {
    const auto engine = load(text());
    const Stream stream;
    std::vector<float> all(32 * kImage, -1.0f);
    const void* images = engine->memory("images");
    cudaMemcpyAsync(all.data(), images, all.size() * 4, cudaMemcpyDeviceToHost, stream.get());
    stream.finish();
    EXPECT(std::count(all.begin(), all.end(), 0.0f) == static_cast<long>(all.size()));
}

TEST(a_size_is_enqueued_then_recorded_then_replayed) {
    const auto engine = load(text());
    const Stream stream;
    device::clear_journal();
    EXPECT(gives_what_it_should(*engine, Batch(8, 1), stream));
    EXPECT(noted("enqueueV3 8") == 1 && noted("cudaStreamBeginCapture") == 0);
    EXPECT(gives_what_it_should(*engine, Batch(8, 2), stream));
    EXPECT(noted("record 8") == 1 && noted("cudaGraphLaunch") == 1);
    for (int i = 0; i < 5; ++i) EXPECT(gives_what_it_should(*engine, Batch(8, 3 + i), stream));
    EXPECT(noted("enqueueV3 8") == 1 && noted("record 8") == 1);
    EXPECT(noted("cudaGraphInstantiate") == 1 && noted("cudaGraphLaunch") == 6);
}

TEST(each_size_has_a_recording_of_its_own) {
    const auto engine = load(text());
    const Stream stream;
    device::clear_journal();
    for (int round = 0; round < 3; ++round) {
        for (const int count : {1, 8, 32}) {
            EXPECT(gives_what_it_should(*engine, Batch(count, count + round), stream));
        }
    }
    EXPECT(noted("record 1") == 1 && noted("record 8") == 1 && noted("record 32") == 1);
}

TEST(a_caller_on_the_default_stream_is_served_too) {
    const auto engine = load(text());
    for (int i = 0; i < 3; ++i) {
        const Batch batch(4, i);
        Room room(4);
        engine->run(4, batch.inputs(), room.output(), nullptr);
        cudaStreamSynchronize(nullptr);
        EXPECT(room.holds(batch.embedding));
    }
    EXPECT(noted("cudaGraphLaunch") >= 2);
}

TEST(without_graphs_every_run_is_enqueued) {
    TensorRtOptions options;
    options.graphs = false;
    const auto engine = load(text(), options);
    const Stream stream;
    device::clear_journal();
    for (int i = 0; i < 4; ++i) EXPECT(gives_what_it_should(*engine, Batch(8, i), stream));
    EXPECT(noted("enqueueV3 8") == 4 && noted("cudaStreamBeginCapture") == 0);
}

TEST(a_network_that_cannot_be_recorded_runs_all_the_same_and_the_log_says_so_once) {
    std::vector<std::string> warnings;
    TensorRtOptions options;
    options.log = [&](pamtri::engines::LogLevel level, const std::string& line) {
        if (level == pamtri::engines::LogLevel::kWarning) warnings.push_back(line);
    };
    const auto engine = load(text(kTensors, kProfiles + "unrecordable\n"), options);
    const Stream stream;
    for (int i = 0; i < 4; ++i) EXPECT(gives_what_it_should(*engine, Batch(8, i), stream));
    EXPECT(warnings.size() == 1);
    EXPECT(warnings[0].find("batch 8: it cannot be recorded") != std::string::npos);
    EXPECT(warnings[0].find("not permitted when stream is capturing") != std::string::npos);
    EXPECT(cudaGetLastError() == cudaSuccess);
}

TEST(a_recording_that_fails_at_whatever_step_leaves_the_engine_running) {
    for (const char* function :
         {"cudaStreamBeginCapture", "cudaStreamEndCapture", "cudaGraphInstantiate"}) {
        const auto engine = load(text());
        const Stream stream;
        device::clear_journal();
        device::fail(function, cudaErrorMemoryAllocation);
        for (int i = 0; i < 4; ++i) EXPECT(gives_what_it_should(*engine, Batch(8, i), stream));
        EXPECT(noted("cudaGraphLaunch") == 0);
        EXPECT(cudaGetLastError() == cudaSuccess);
    }
}

TEST(runs_on_different_streams_do_not_meddle_with_each_other) {
    const auto engine = load(text());
    const Stream first, second, third;
    for (int round = 0; round < 4; ++round) {
        const Batch a(8, round), b(8, 10 + round), c(3, 20 + round);
        Room of_a(8), of_b(8), of_c(3);
        engine->run(8, a.inputs(), of_a.output(), first);
        engine->run(8, b.inputs(), of_b.output(), second);
        engine->run(3, c.inputs(), of_c.output(), third);
        third.finish();
        second.finish();
        first.finish();
        EXPECT(of_a.holds(a.embedding) && of_b.holds(b.embedding) && of_c.holds(c.embedding));
    }
}

TEST(a_run_waits_for_what_a_failed_one_has_put_on_another_stream) {
    const auto engine = load(text());
    const Stream first, second;
    const Batch failed(8, 1), batch(8, 2);
    nvinfer1::fail_enqueue(0, "a kernel cannot be launched");
    EXPECT_ERROR(engine->run(8, failed.inputs(), {}, first), "cannot enqueue");
    Room room(8);
    engine->run(8, batch.inputs(), room.output(), second);
    first.finish();
    second.finish();
    EXPECT(room.holds(batch.embedding));
}

TEST(threads_take_turns) {
    const auto engine = load(text());
    std::vector<int> wrong(4, 0);
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&, thread] {
            const Stream stream;
            for (int i = 0; i < 40; ++i) {
                const Batch batch(1 + (i * 7 + thread) % 32, 1000 * thread + i);
                wrong[thread] += !gives_what_it_should(*engine, batch, stream);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT(std::count(wrong.begin(), wrong.end(), 0) == 4);
}

TEST(tensors_of_half_precision_have_items_of_two_bytes) {
    const auto engine = load(text("input images half 3\noutput embedding half 2\n"));
    EXPECT(engine->inputs()[0].item_bytes() == 6 && engine->outputs()[0].item_bytes() == 4);
    const Stream stream;
    const std::vector<std::uint16_t> images = {1, 2, 3, 4, 5, 6};
    std::vector<std::uint16_t> found(4);
    engine->run(2, {{"images", images.data(), Place::kHost}},
                {{"embedding", found.data(), Place::kHost}}, stream);
    stream.finish();
    EXPECT((found == std::vector<std::uint16_t>{14, 28, 32, 64}));
}

TEST(a_second_gpu_is_used_and_the_callers_choice_is_left_alone) {
    device::set_devices(2);
    TensorRtOptions options;
    options.device = 1;
    const auto engine = load(text(), options);
    int current = -1;
    cudaGetDevice(&current);
    EXPECT(current == 0);
    EXPECT(gives_what_it_should(*engine, Batch(2, 1), Stream()));
    cudaGetDevice(&current);
    EXPECT(current == 0);
}

TEST(an_engine_that_goes_waits_for_what_still_runs) {
    const Stream stream;
    const Batch batch(8, 9);
    Room room(8);
    {
        const auto engine = load(text());
        engine->run(8, batch.inputs(), room.output(), stream);
    }
    EXPECT(room.holds(batch.embedding));
}
