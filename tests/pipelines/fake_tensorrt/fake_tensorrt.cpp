// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include <NvInferRuntime.h>

#include <cstring>
#include <string>
#include <vector>

#include "../fake_cuda/device.hpp"
#include "forbid.hpp"
#include "network.hpp"

namespace nvinfer1 {

struct ContextState {
    std::shared_ptr<EngineState> engine;
    int profile = 0;
    int64_t batch = -1;
    std::map<std::string, int64_t> batches;  // by input
    std::map<std::string, void*> addresses;
    void* memory = nullptr;
    int64_t memory_size = 0;
    bool has_run = false;
};

namespace {

int library_major = NV_TENSORRT_MAJOR;
int engines = 0;

Dims dims_of(const FakeTensor& tensor, int64_t batch) {
    Dims dims{};
    dims.nbDims = static_cast<int32_t>(tensor.item.size()) + 1;
    dims.d[0] = tensor.fixed ? 1 : batch;
    for (std::size_t i = 0; i < tensor.item.size(); ++i) dims.d[i + 1] = tensor.item[i];
    return dims;
}

constexpr Dims kNone{-1, {}};

}  // namespace

void set_library_version(int major) { library_major = major; }

IRuntime* createInferRuntime(ILogger& logger) noexcept {
    device::note("createInferRuntime");
    int count = 0;
    forbid(cudaGetDeviceCount(&count) != cudaSuccess || count < 1,
           "the runtime was made without a driver, which ends the process");
    return new IRuntime(logger);
}

IRuntime::IRuntime(ILogger& logger) : mLogger(logger) {}

IRuntime::~IRuntime() noexcept {
    device::note("~IRuntime");
    forbid(engines > 0, "the runtime went before its engine");
}

ICudaEngine* IRuntime::deserializeCudaEngine(void const* blob, std::size_t size) noexcept {
    device::note("deserializeCudaEngine");
    std::string reason;
    const std::string text(static_cast<const char*>(blob), size);
    std::shared_ptr<EngineState> state = parse_engine(text, reason);
    if (!state) {
        mLogger.log(ILogger::Severity::kERROR, reason.c_str());
        return nullptr;
    }
    state->logger = &mLogger;
    mLogger.log(ILogger::Severity::kINFO, "Loaded engine size: a few bytes");
    return new ICudaEngine(state);
}

ICudaEngine::ICudaEngine(std::shared_ptr<EngineState> state) : mImpl(std::move(state)) {
    ++engines;
}

ICudaEngine::~ICudaEngine() noexcept {
    device::note("~ICudaEngine");
    --engines;
    forbid(mImpl->contexts > 0, "the engine went before its contexts");
}

int32_t ICudaEngine::getNbIOTensors() const noexcept {
    return static_cast<int32_t>(mImpl->tensors.size());
}

char const* ICudaEngine::getIOTensorName(int32_t index) const noexcept {
    return mImpl->tensors[static_cast<std::size_t>(index)].name.c_str();
}

TensorIOMode ICudaEngine::getTensorIOMode(char const* tensorName) const noexcept {
    const FakeTensor* tensor = mImpl->find(tensorName);
    if (!tensor) return TensorIOMode::kNONE;
    return tensor->input ? TensorIOMode::kINPUT : TensorIOMode::kOUTPUT;
}

Dims ICudaEngine::getTensorShape(char const* tensorName) const noexcept {
    return dims_of(*mImpl->find(tensorName), -1);
}

DataType ICudaEngine::getTensorDataType(char const* tensorName) const noexcept {
    return mImpl->find(tensorName)->type;
}

TensorLocation ICudaEngine::getTensorLocation(char const* tensorName) const noexcept {
    return mImpl->find(tensorName)->location;
}

TensorFormat ICudaEngine::getTensorFormat(char const* tensorName, int32_t) const noexcept {
    return mImpl->find(tensorName)->format;
}

int32_t ICudaEngine::getNbOptimizationProfiles() const noexcept {
    return static_cast<int32_t>(mImpl->profiles.size());
}

Dims ICudaEngine::getProfileShape(char const* tensorName, int32_t profileIndex,
                                  OptProfileSelector select) const noexcept {
    const FakeProfile& profile = mImpl->profiles[static_cast<std::size_t>(profileIndex)];
    return dims_of(*mImpl->find(tensorName), profile.of(tensorName, select));
}

int64_t ICudaEngine::getDeviceMemorySizeForProfileV2(int32_t profileIndex) const noexcept {
    return mImpl->profiles[static_cast<std::size_t>(profileIndex)].memory;
}

IExecutionContext* ICudaEngine::createExecutionContext(
    ExecutionContextAllocationStrategy strategy) noexcept {
    device::note("createExecutionContext");
    forbid(strategy != ExecutionContextAllocationStrategy::kUSER_MANAGED,
           "this context would take memory of its own");
    return new IExecutionContext(mImpl);
}

IExecutionContext::IExecutionContext(std::shared_ptr<EngineState> engine)
    : mImpl(std::make_unique<ContextState>()) {
    mImpl->engine = std::move(engine);
    ++mImpl->engine->contexts;
}

IExecutionContext::~IExecutionContext() noexcept {
    device::note("~IExecutionContext");
    --mImpl->engine->contexts;
}

bool IExecutionContext::setOptimizationProfileAsync(int32_t profileIndex,
                                                    cudaStream_t stream) noexcept {
    device::note("setOptimizationProfileAsync " + std::to_string(profileIndex));
    mImpl->profile = profileIndex;
    mImpl->batches.clear();
    return device::put(stream, [] {}) == cudaSuccess;
}

bool IExecutionContext::setInputShape(char const* tensorName, Dims const& dims) noexcept {
    device::note("setInputShape " + std::string(tensorName) + " " + std::to_string(dims.d[0]));
    const EngineState& engine = *mImpl->engine;
    const FakeTensor* tensor = engine.find(tensorName);
    if (!tensor || !tensor->input) return engine.complain("no input has this name");
    const FakeProfile& profile = engine.profiles[static_cast<std::size_t>(mImpl->profile)];
    const Dims expected = dims_of(*tensor, dims.d[0]);
    const bool same = dims.nbDims == expected.nbDims &&
                      std::memcmp(dims.d, expected.d, sizeof(int64_t) * dims.nbDims) == 0;
    if (!same || dims.d[0] < profile.of(tensorName, OptProfileSelector::kMIN) ||
        dims.d[0] > profile.of(tensorName, OptProfileSelector::kMAX)) {
        return engine.complain("the shape does not satisfy any optimization profile");
    }
    mImpl->batches[tensorName] = dims.d[0];
    mImpl->batch = dims.d[0];
    mImpl->has_run = false;
    return true;
}

Dims IExecutionContext::getTensorShape(char const* tensorName) const noexcept {
    const FakeTensor* tensor = mImpl->engine->find(tensorName);
    return tensor ? dims_of(*tensor, mImpl->batch) : kNone;
}

bool IExecutionContext::setTensorAddress(char const* tensorName, void* data) noexcept {
    device::note("setTensorAddress " + std::string(tensorName));
    if (!mImpl->engine->find(tensorName)) return mImpl->engine->complain("no such tensor");
    mImpl->addresses[tensorName] = data;
    return true;
}

void IExecutionContext::setDeviceMemoryV2(void* memory, int64_t size) noexcept {
    device::note("setDeviceMemoryV2 " + std::to_string(size));
    mImpl->memory = memory;
    mImpl->memory_size = size;
}

bool IExecutionContext::enqueueV3(cudaStream_t stream) noexcept {
    const bool recording = device::is_recording(stream);
    const EngineState& engine = *mImpl->engine;
    device::note(std::string(recording ? "record" : "enqueueV3") + " " +
                 std::to_string(mImpl->batch));
    std::string complaint;
    if (enqueue_fails(complaint)) return engine.complain(complaint);
    const FakeProfile& profile = engine.profiles[static_cast<std::size_t>(mImpl->profile)];
    for (const FakeTensor& tensor : engine.tensors) {
        if (tensor.input && mImpl->batches.count(tensor.name) == 0) {
            return engine.complain("an input has no shape");
        }
        const auto batch = static_cast<std::size_t>(mImpl->batch);
        if (!device::owns(mImpl->addresses[tensor.name], batch * tensor.item_bytes())) {
            return engine.complain("the address of " + tensor.name + " is bad");
        }
    }
    const auto size = static_cast<std::size_t>(profile.memory);
    if (mImpl->memory_size < profile.memory || (size > 0 && !device::owns(mImpl->memory, size))) {
        return engine.complain("too little working memory was set");
    }
    if (recording && (!mImpl->has_run || !engine.recordable)) {
        // What has to be prepared at the first run allocates, and that cannot be recorded.
        void* memory = nullptr;
        if (cudaMalloc(&memory, 256) == cudaSuccess) cudaFree(memory);
        return engine.complain("operation not permitted when stream is capturing");
    }
    mImpl->has_run = true;
    // Bound now, as kernels' arguments are; computed when the stream gets there. Each half of the
    // work is a step, so that two runs that were not put in order meddle with each other.
    const auto addresses = mImpl->addresses;
    const auto batch = mImpl->batch;
    const auto memory = mImpl->memory;
    const std::shared_ptr<EngineState> state = mImpl->engine;
    device::put(stream, [=] {
        if (size > 0) std::memset(memory, static_cast<int>(batch), size);
    });
    return device::put(stream, [=] {
               for (std::size_t i = 0; i < size; ++i) {
                   forbid(static_cast<char*>(memory)[i] != static_cast<char>(batch),
                          "two runs share working memory at a time");
               }
               compute(*state, batch, addresses);
           }) == cudaSuccess;
}

}  // namespace nvinfer1

extern "C" {
int32_t getInferLibMajorVersion() noexcept { return nvinfer1::library_major; }
int32_t getInferLibMinorVersion() noexcept { return NV_TENSORRT_MINOR; }
int32_t getInferLibPatchVersion() noexcept { return NV_TENSORRT_PATCH; }
int32_t getInferLibBuildVersion() noexcept { return NV_TENSORRT_BUILD; }
}
