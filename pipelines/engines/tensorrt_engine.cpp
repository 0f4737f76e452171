// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "tensorrt_engine.hpp"

#include <NvInferRuntime.h>
#include <cuda_runtime_api.h>

#include <algorithm>
#include <mutex>
#include <optional>

#include "buckets.hpp"
#include "cuda_resources.hpp"
#include "engine_error.hpp"
#include "engine_files.hpp"
#include "tensor_checks.hpp"
#include "tensorrt_lane.hpp"
#include "tensorrt_log.hpp"
#include "tensorrt_plan.hpp"

namespace pamtri::engines {
namespace {

class TensorRtEngine final : public Engine {
  public:
    TensorRtEngine(const std::string& path, std::string_view plan, const TensorRtOptions& options)
        : device_(options.device),
          plan_(path, plan, options),
          ready_(new_stream()),
          done_(new_event()) {
        buckets_ = core::buckets_of(plan_.batch_ranges());
        for (const core::Bucket& bucket : buckets_) batch_sizes_.push_back(bucket.batch);
        for (const TensorSpec& spec : plan_.inputs()) add_memory(spec);
        for (const TensorSpec& spec : plan_.outputs()) add_memory(spec);
        const std::size_t bytes = plan_.workspace_bytes();
        workspace_ = new_memory(bytes, plan_.about("reserving " + std::to_string(bytes >> 20) +
                                                   " MiB of working memory"));
        for (const core::Bucket& bucket : buckets_) {
            lanes_.push_back(std::make_unique<Lane>(plan_, bucket, addresses_, workspace_.get(),
                                                    bytes, ready_.get(), options.graphs));
        }
    }

    ~TensorRtEngine() override {
        // What still runs reads and writes the memory that goes now. Nothing can be said of a
        // failure here; one that matters was told by the run that caused it.
        cudaEventSynchronize(done_.get());
    }

    const std::vector<TensorSpec>& inputs() const override { return plan_.inputs(); }
    const std::vector<TensorSpec>& outputs() const override { return plan_.outputs(); }
    const std::vector<int>& batch_sizes() const override { return batch_sizes_; }
    Place place() const override { return Place::kDevice; }

    void* memory(std::string_view tensor) override {
        const auto found = std::find_if(addresses_.begin(), addresses_.end(),
                                        [&](const Address& one) { return one.name == tensor; });
        if (found != addresses_.end()) return found->data;
        throw EngineError(plan_.about("there is no tensor '" + std::string(tensor) + "', but " +
                                      names_of(inputs()) + ", " + names_of(outputs()) + "."));
    }

    void run(int count, const std::vector<Input>& inputs, const std::vector<Output>& outputs,
             Stream stream) override {
        if (count < 1 || count > max_batch()) {
            throw EngineError(plan_.about("a batch of " + std::to_string(count) +
                                          " was given; 1 to " + std::to_string(max_batch()) +
                                          " are accepted."));
        }
        check_inputs(plan_.inputs(), inputs, plan_.about("run"));
        check_outputs(plan_.outputs(), outputs, plan_.about("run"));
        const std::lock_guard<std::mutex> turn(mutex_);
        const DeviceGuard guard(device_);
        enqueue(count, inputs, outputs, static_cast<cudaStream_t>(stream));
    }

    void finish(Stream stream) override {
        const DeviceGuard guard(device_);
        check(cudaStreamSynchronize(static_cast<cudaStream_t>(stream)), plan_.about("finishing"));
    }

  private:
    void add_memory(const TensorSpec& spec) {
        const std::size_t bytes = spec.item_bytes() * static_cast<std::size_t>(max_batch());
        const std::string what = plan_.about("reserving memory for '" + spec.name + "'");
        tensors_.push_back(new_memory(bytes, what));
        // Rows that fill a batch up are computed, too, and must hold numbers from the start.
        check(cudaMemsetAsync(tensors_.back().get(), 0, bytes, ready_.get()), what);
        check(cudaStreamSynchronize(ready_.get()), what);
        addresses_.push_back({spec.name, tensors_.back().get()});
    }

    void enqueue(int count, const std::vector<Input>& inputs, const std::vector<Output>& outputs,
                 cudaStream_t stream) {
        // A batch shares memory with the one before, which may still run on another stream.
        check(cudaStreamWaitEvent(stream, done_.get(), 0), plan_.about("waiting for the last run"));
        try {
            for (const Input& input : inputs) {
                copy(
                    memory(input.name), input.data, bytes_of(plan_.inputs(), input.name, count),
                    input.place == Place::kHost ? cudaMemcpyHostToDevice : cudaMemcpyDeviceToDevice,
                    stream, input.name);
            }
            lanes_[core::bucket_for(buckets_, count)]->enqueue(stream);
            for (const Output& output : outputs) {
                copy(output.data, memory(output.name),
                     bytes_of(plan_.outputs(), output.name, count),
                     output.place == Place::kHost ? cudaMemcpyDeviceToHost
                                                  : cudaMemcpyDeviceToDevice,
                     stream, output.name);
            }
        } catch (...) {
            cudaEventRecord(done_.get(), stream);  // what was put on the stream still runs
            throw;
        }
        check(cudaEventRecord(done_.get(), stream), plan_.about("marking the end of a run"));
    }

    void copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
              cudaStream_t stream, std::string_view name) const {
        if (to == from) return;  // the caller works in the engine's own memory
        check(cudaMemcpyAsync(to, from, bytes, kind, stream),
              plan_.about("copying '" + std::string(name) + "'"));
    }

    static std::size_t bytes_of(const std::vector<TensorSpec>& specs, std::string_view name,
                                int count) {
        return find_tensor(specs, name)->item_bytes() * static_cast<std::size_t>(count);
    }

    // In the order in which they are made; each goes before what it stands on.
    int device_;
    Plan plan_;
    OwnedStream ready_;  // what is done while loading
    OwnedEvent done_;    // the end of the last run
    std::vector<core::Bucket> buckets_;
    std::vector<int> batch_sizes_;
    std::vector<DeviceMemory> tensors_;
    std::vector<Address> addresses_;
    DeviceMemory workspace_;
    std::vector<std::unique_ptr<Lane>> lanes_;
    std::mutex mutex_;
};

}  // namespace

std::unique_ptr<Engine> load_tensorrt(const std::string& path, const TensorRtOptions& options) {
    require_device(options.device);
    const std::optional<std::string> plan = core::contents_of(path);
    if (!plan) throw EngineError("engine " + path + " cannot be read; check the path.");
    return load_tensorrt(path, *plan, options);
}

std::unique_ptr<Engine> load_tensorrt(const std::string& path, std::string_view plan,
                                      const TensorRtOptions& options) {
    require_device(options.device);
    const DeviceGuard guard(options.device);
    return std::make_unique<TensorRtEngine>(path, plan, options);
}

}  // namespace pamtri::engines
