// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "fake_builder.hpp"

#include <NvOnnxParser.h>

#include <mutex>
#include <sstream>

#include "../fake_cuda/device.hpp"
#include "forbid.hpp"

namespace nvinfer1 {
namespace {

std::mutex mutex;
FakeBuilds builds;
std::string failing;
std::function<void()> called;
int configs = 0;

constexpr const char* kMeasured = "measured on Fake GPU";

void step_is_done() {
    std::function<void()> now;
    {
        const std::lock_guard<std::mutex> lock(mutex);
        now = called;
    }
    if (now) now();
}

/// The steps of a build; whether it may go on to its end.
bool build_in_steps(FakeConfig& config) {
    IProgressMonitor* monitor = config.monitor;
    const bool known = config.timing && config.timing->bytes == kMeasured;
    bool goes_on = true;
    if (monitor) monitor->phaseStart("Building engine", nullptr, 2);
    if (monitor) monitor->phaseStart("Timing tactics", "Building engine", 4);
    for (int step = 0; goes_on && step < 4; ++step) {
        {
            const std::lock_guard<std::mutex> lock(mutex);
            builds.timed += known ? 0 : 1;
        }
        if (monitor) goes_on = monitor->stepComplete("Timing tactics", step);
        step_is_done();
    }
    if (monitor) monitor->phaseFinish("Timing tactics");
    for (int step = 0; goes_on && step < 2; ++step)
        if (monitor) goes_on = monitor->stepComplete("Building engine", step);
    if (monitor) monitor->phaseFinish("Building engine");
    return goes_on;
}

}  // namespace

FakeBuilds take_builds() {
    const std::lock_guard<std::mutex> lock(mutex);
    return std::exchange(builds, {});
}

void fail_builds(const std::string& complaint) {
    const std::lock_guard<std::mutex> lock(mutex);
    failing = complaint;
}

void at_steps(std::function<void()> now) {
    const std::lock_guard<std::mutex> lock(mutex);
    called = std::move(now);
}

IHostMemory::IHostMemory(std::string bytes) : mBytes(std::move(bytes)) {}
IHostMemory::~IHostMemory() noexcept = default;
void* IHostMemory::data() const noexcept { return mBytes.data(); }
std::size_t IHostMemory::size() const noexcept { return mBytes.size(); }

char const* ITensor::getName() const noexcept { return name.c_str(); }
DataType ITensor::getType() const noexcept { return type; }
Dims ITensor::getDimensions() const noexcept {
    Dims dims{};
    dims.nbDims = static_cast<int32_t>(sizes.size());
    for (std::size_t i = 0; i < sizes.size(); ++i) dims.d[i] = sizes[i];
    return dims;
}

LayerType ILayer::getType() const noexcept { return type; }
ITensor* ILayer::getInput(int32_t) const noexcept { return &input; }

INetworkDefinition::INetworkDefinition(NetworkDefinitionCreationFlags flags)
    : mImpl(std::make_unique<FakeNetwork>()) {
    mImpl->flags = flags;
}
INetworkDefinition::~INetworkDefinition() noexcept = default;
int32_t INetworkDefinition::getNbLayers() const noexcept {
    return static_cast<int32_t>(mImpl->layers.size());
}
ILayer* INetworkDefinition::getLayer(int32_t index) const noexcept {
    return mImpl->layers[static_cast<std::size_t>(index)].get();
}
int32_t INetworkDefinition::getNbInputs() const noexcept {
    return static_cast<int32_t>(mImpl->inputs.size());
}
ITensor* INetworkDefinition::getInput(int32_t index) const noexcept {
    return mImpl->inputs[static_cast<std::size_t>(index)].get();
}

bool IOptimizationProfile::setDimensions(char const*, OptProfileSelector select,
                                         Dims const& dims) noexcept {
    batch[static_cast<int>(select)] = dims.d[0];
    return dims.d[0] > 0;
}

ITimingCache::ITimingCache(std::string text) : bytes(std::move(text)) {}
ITimingCache::~ITimingCache() noexcept = default;
IHostMemory* ITimingCache::serialize() const noexcept { return new IHostMemory(kMeasured); }

IBuilderConfig::IBuilderConfig() : mImpl(std::make_unique<FakeConfig>()) { ++configs; }
IBuilderConfig::~IBuilderConfig() noexcept { --configs; }
void IBuilderConfig::clearFlag(BuilderFlag flag) noexcept {
    if (flag == BuilderFlag::kTF32) mImpl->tf32 = false;
}
void IBuilderConfig::setMemoryPoolLimit(MemoryPoolType, std::size_t size) noexcept {
    mImpl->workspace = size;
}
int32_t IBuilderConfig::addOptimizationProfile(IOptimizationProfile const* profile) noexcept {
    mImpl->profiles.push_back({profile->batch[0], profile->batch[1], profile->batch[2]});
    return static_cast<int32_t>(mImpl->profiles.size()) - 1;
}
ITimingCache* IBuilderConfig::createTimingCache(void const* blob, std::size_t size) const noexcept {
    const auto* text = static_cast<const char*>(blob);
    return new ITimingCache(size == 0 ? std::string() : std::string(text, size));
}
bool IBuilderConfig::setTimingCache(ITimingCache const& cache, bool ignore) noexcept {
    if (!cache.bytes.empty() && cache.bytes != kMeasured && !ignore) return false;
    mImpl->timing = &cache;
    return true;
}
void IBuilderConfig::setProgressMonitor(IProgressMonitor* monitor) noexcept {
    mImpl->monitor = monitor;
}

IBuilder::IBuilder(ILogger& logger) : mLogger(logger) {}
IBuilder::~IBuilder() noexcept { forbid(configs > 0, "the builder went before a configuration"); }
INetworkDefinition* IBuilder::createNetworkV2(NetworkDefinitionCreationFlags flags) noexcept {
    return new INetworkDefinition(flags);
}
IBuilderConfig* IBuilder::createBuilderConfig() noexcept { return new IBuilderConfig; }
IOptimizationProfile* IBuilder::createOptimizationProfile() noexcept {
    mProfiles.push_back(std::make_unique<IOptimizationProfile>());
    return mProfiles.back().get();
}

IHostMemory* IBuilder::buildSerializedNetwork(INetworkDefinition& network,
                                              IBuilderConfig& config) noexcept {
    std::string complaint;
    forbid(!network.mImpl->has_parser, "the parser went before the engine was built");
    {
        const std::lock_guard<std::mutex> lock(mutex);
        ++builds.begun;
        builds.tf32 = config.mImpl->tf32;
        builds.flags = network.mImpl->flags;
        builds.workspace = config.mImpl->workspace;
        complaint = failing;
    }
    if (!complaint.empty()) {
        mLogger.log(ILogger::Severity::kERROR, complaint.c_str());
        return nullptr;
    }
    if (!build_in_steps(*config.mImpl)) return nullptr;
    std::string text = "engine\ngpu 8.7\n" + network.mImpl->tensors;
    for (const std::vector<int64_t>& profile : config.mImpl->profiles)
        text += "profile " + std::to_string(profile[0]) + " " + std::to_string(profile[1]) + " " +
                std::to_string(profile[2]) + "\nmemory 512\n";
    const std::lock_guard<std::mutex> lock(mutex);
    ++builds.done;
    return new IHostMemory(text + "end\n");
}

IBuilder* createInferBuilder(ILogger& logger) noexcept {
    int count = 0;
    forbid(cudaGetDeviceCount(&count) != cudaSuccess || count < 1,
           "the builder was made without a driver, which ends the process");
    return new IBuilder(logger);
}

}  // namespace nvinfer1

namespace nvonnxparser {
namespace {

class FakeError final : public IParserError {
  public:
    explicit FakeError(std::istringstream& words) {
        words >> node_ >> name_ >> type_;
        std::getline(words >> std::ws, text_);
    }
    char const* desc() const override { return text_.c_str(); }
    char const* file() const override { return "ModelImporter.cpp"; }
    int line() const override { return 836; }
    int node() const override { return node_; }
    char const* nodeName() const override { return name_.c_str(); }
    char const* nodeOperator() const override { return type_.c_str(); }

  private:
    int node_ = -1;
    std::string name_, type_, text_;
};

class FakeParser final : public IParser {
  public:
    FakeParser(nvinfer1::INetworkDefinition& network, nvinfer1::ILogger& logger)
        : network_(*network.mImpl), logger_(logger) {
        network_.has_parser = true;
    }
    ~FakeParser() noexcept override { network_.has_parser = false; }

    bool parse(void const* model, size_t size, const char*) noexcept override {
        std::istringstream lines(std::string(static_cast<const char*>(model), size));
        std::string line;
        std::getline(lines, line);
        if (line != "onnx") {
            logger_.log(nvinfer1::ILogger::Severity::kERROR, "Failed to parse ONNX model.");
            return false;
        }
        while (std::getline(lines, line)) take(line);
        return errors_.empty();
    }
    int getNbErrors() const noexcept override { return static_cast<int>(errors_.size()); }
    IParserError const* getError(int index) const noexcept override {
        return errors_[static_cast<std::size_t>(index)].get();
    }

  private:
    void take(const std::string& line) {
        std::istringstream words(line);
        std::string kind;
        words >> kind;
        if (kind == "error") errors_.push_back(std::make_unique<FakeError>(words));
        if (kind == "convolution" || kind == "dequantize") add_layer(kind, words);
        if (kind == "input" || kind == "output") add_tensor(kind, words);
    }

    void add_layer(const std::string& kind, std::istringstream& words) {
        std::string type;
        words >> type;
        auto layer = std::make_unique<nvinfer1::ILayer>();
        if (kind == "dequantize") layer->type = nvinfer1::LayerType::kDEQUANTIZE;
        if (type == "half") layer->input.type = nvinfer1::DataType::kHALF;
        network_.layers.push_back(std::move(layer));
    }

    void add_tensor(const std::string& kind, std::istringstream& words) {
        auto tensor = std::make_unique<nvinfer1::ITensor>();
        std::string type;
        int64_t batch = -1;
        words >> tensor->name >> type;
        network_.tensors += kind + " " + tensor->name + " " + type;
        for (std::string word; words >> word;) {
            if (word == "batch") {
                words >> batch;
                break;
            }
            tensor->sizes.push_back(std::stoll(word));
            network_.tensors += " " + word;
        }
        network_.tensors += "\n";
        tensor->sizes.insert(tensor->sizes.begin(), batch);
        if (kind == "input") network_.inputs.push_back(std::move(tensor));
    }

    nvinfer1::FakeNetwork& network_;
    nvinfer1::ILogger& logger_;
    std::vector<std::unique_ptr<FakeError>> errors_;
};

}  // namespace

IParser* createParser(nvinfer1::INetworkDefinition& network, nvinfer1::ILogger& logger) noexcept {
    return new FakeParser(network, logger);
}

}  // namespace nvonnxparser
