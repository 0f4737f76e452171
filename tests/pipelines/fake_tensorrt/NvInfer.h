// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The part of TensorRT's builder that pipelines/engines uses: real names and signatures, of our own
// writing. fake_builder.cpp makes engines of the fake runtime; signatures.cpp holds these
// declarations against the real header where there is one.
#pragma once

#include <NvInferRuntime.h>

#include <string>
#include <vector>

namespace nvinfer1 {

struct FakeNetwork;
struct FakeConfig;

class IHostMemory : public INoCopy {
  public:
    explicit IHostMemory(std::string bytes);
    virtual ~IHostMemory() noexcept;
    void* data() const noexcept;
    std::size_t size() const noexcept;

  private:
    mutable std::string mBytes;
};

enum class LayerType : int32_t { kCONVOLUTION = 0, kDEQUANTIZE = 33 };
enum class BuilderFlag : int32_t { kTF32 = 6 };
enum class MemoryPoolType : int32_t { kWORKSPACE = 0 };
enum class NetworkDefinitionCreationFlag : int32_t { kSTRONGLY_TYPED = 1 };
using NetworkDefinitionCreationFlags = uint32_t;

class ITensor : public INoCopy {
  public:
    char const* getName() const noexcept;
    Dims getDimensions() const noexcept;
    DataType getType() const noexcept;

    std::string name;
    DataType type = DataType::kFLOAT;
    std::vector<int64_t> sizes;
};

class ILayer : public INoCopy {
  public:
    LayerType getType() const noexcept;
    ITensor* getInput(int32_t index) const noexcept;

    LayerType type = LayerType::kCONVOLUTION;
    mutable ITensor input;
};

class INetworkDefinition : public INoCopy {
  public:
    explicit INetworkDefinition(NetworkDefinitionCreationFlags flags);
    virtual ~INetworkDefinition() noexcept;
    int32_t getNbLayers() const noexcept;
    ILayer* getLayer(int32_t index) const noexcept;
    int32_t getNbInputs() const noexcept;
    ITensor* getInput(int32_t index) const noexcept;

    std::unique_ptr<FakeNetwork> mImpl;
};

class IOptimizationProfile : public INoCopy {
  public:
    bool setDimensions(char const* inputName, OptProfileSelector select, Dims const& dims) noexcept;

    int64_t batch[3] = {0, 0, 0};
};

class ITimingCache : public INoCopy {
  public:
    explicit ITimingCache(std::string bytes);
    virtual ~ITimingCache() noexcept;
    IHostMemory* serialize() const noexcept;

    std::string bytes;
};

class IProgressMonitor {
  public:
    virtual ~IProgressMonitor() noexcept = default;
    virtual void phaseStart(char const* phaseName, char const* parentPhase,
                            int32_t nbSteps) noexcept = 0;
    virtual bool stepComplete(char const* phaseName, int32_t step) noexcept = 0;
    virtual void phaseFinish(char const* phaseName) noexcept = 0;
};

class IBuilderConfig : public INoCopy {
  public:
    IBuilderConfig();
    virtual ~IBuilderConfig() noexcept;
    void clearFlag(BuilderFlag builderFlag) noexcept;
    void setMemoryPoolLimit(MemoryPoolType pool, std::size_t poolSize) noexcept;
    int32_t addOptimizationProfile(IOptimizationProfile const* profile) noexcept;
    ITimingCache* createTimingCache(void const* blob, std::size_t size) const noexcept;
    bool setTimingCache(ITimingCache const& cache, bool ignoreMismatch) noexcept;
    void setProgressMonitor(IProgressMonitor* monitor) noexcept;

    std::unique_ptr<FakeConfig> mImpl;
};

class IBuilder : public INoCopy {
  public:
    explicit IBuilder(ILogger& logger);
    virtual ~IBuilder() noexcept;
    INetworkDefinition* createNetworkV2(NetworkDefinitionCreationFlags flags) noexcept;
    IBuilderConfig* createBuilderConfig() noexcept;
    IOptimizationProfile* createOptimizationProfile() noexcept;
    IHostMemory* buildSerializedNetwork(INetworkDefinition& network,
                                        IBuilderConfig& config) noexcept;

  private:
    ILogger& mLogger;
    std::vector<std::unique_ptr<IOptimizationProfile>> mProfiles;
};

IBuilder* createInferBuilder(ILogger& logger) noexcept;

}  // namespace nvinfer1
