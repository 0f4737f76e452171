// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The part of TensorRT's runtime API that pipelines/engines uses, for machines without TensorRT:
// real names and signatures, of our own writing. fake_tensorrt.cpp computes on the fake device;
// signatures.cpp holds these declarations against the real header where there is one.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#define NV_TENSORRT_MAJOR 10
#define NV_TENSORRT_MINOR 3
#define NV_TENSORRT_PATCH 0
#define NV_TENSORRT_BUILD 26

extern "C" {
int32_t getInferLibMajorVersion() noexcept;
int32_t getInferLibMinorVersion() noexcept;
int32_t getInferLibPatchVersion() noexcept;
int32_t getInferLibBuildVersion() noexcept;
}

namespace nvinfer1 {

using AsciiChar = char;

class Dims64 {
  public:
    static constexpr int32_t MAX_DIMS{8};
    int32_t nbDims;
    int64_t d[MAX_DIMS];
};
using Dims = Dims64;

enum class DataType : int32_t { kFLOAT = 0, kHALF = 1, kINT8 = 2, kINT32 = 3, kBOOL = 4 };
enum class TensorIOMode : int32_t { kNONE = 0, kINPUT = 1, kOUTPUT = 2 };
enum class TensorLocation : int32_t { kDEVICE = 0, kHOST = 1 };
enum class TensorFormat : int32_t { kLINEAR = 0, kCHW2 = 1, kHWC8 = 2 };
enum class OptProfileSelector : int32_t { kMIN = 0, kOPT = 1, kMAX = 2 };
enum class ExecutionContextAllocationStrategy : int32_t {
    kSTATIC = 0,
    kON_PROFILE_CHANGE = 1,
    kUSER_MANAGED = 2,
};

class ILogger {
  public:
    enum class Severity : int32_t {
        kINTERNAL_ERROR = 0,
        kERROR = 1,
        kWARNING = 2,
        kINFO = 3,
        kVERBOSE = 4,
    };
    virtual void log(Severity severity, AsciiChar const* msg) noexcept = 0;
    ILogger() = default;
    virtual ~ILogger() = default;
};

/// What the library makes and only the library can copy.
class INoCopy {
  protected:
    INoCopy() = default;
    virtual ~INoCopy() = default;
    INoCopy(INoCopy const&) = delete;
    INoCopy& operator=(INoCopy const&) = delete;
};

struct EngineState;
struct ContextState;

class IExecutionContext : public INoCopy {
  public:
    explicit IExecutionContext(std::shared_ptr<EngineState> engine);
    virtual ~IExecutionContext() noexcept;
    bool setOptimizationProfileAsync(int32_t profileIndex, cudaStream_t stream) noexcept;
    bool setInputShape(char const* tensorName, Dims const& dims) noexcept;
    Dims getTensorShape(char const* tensorName) const noexcept;
    bool setTensorAddress(char const* tensorName, void* data) noexcept;
    void setDeviceMemoryV2(void* memory, int64_t size) noexcept;
    bool enqueueV3(cudaStream_t stream) noexcept;

  private:
    std::unique_ptr<ContextState> mImpl;
};

class ICudaEngine : public INoCopy {
  public:
    explicit ICudaEngine(std::shared_ptr<EngineState> state);
    virtual ~ICudaEngine() noexcept;
    int32_t getNbIOTensors() const noexcept;
    char const* getIOTensorName(int32_t index) const noexcept;
    TensorIOMode getTensorIOMode(char const* tensorName) const noexcept;
    Dims getTensorShape(char const* tensorName) const noexcept;
    DataType getTensorDataType(char const* tensorName) const noexcept;
    TensorLocation getTensorLocation(char const* tensorName) const noexcept;
    TensorFormat getTensorFormat(char const* tensorName, int32_t profileIndex) const noexcept;
    int32_t getNbOptimizationProfiles() const noexcept;
    Dims getProfileShape(char const* tensorName, int32_t profileIndex,
                         OptProfileSelector select) const noexcept;
    int64_t getDeviceMemorySizeForProfileV2(int32_t profileIndex) const noexcept;
    IExecutionContext* createExecutionContext(
        ExecutionContextAllocationStrategy strategy =
            ExecutionContextAllocationStrategy::kSTATIC) noexcept;

  private:
    std::shared_ptr<EngineState> mImpl;
};

class IRuntime : public INoCopy {
  public:
    explicit IRuntime(ILogger& logger);
    virtual ~IRuntime() noexcept;
    ICudaEngine* deserializeCudaEngine(void const* blob, std::size_t size) noexcept;

  private:
    ILogger& mLogger;
};

IRuntime* createInferRuntime(ILogger& logger) noexcept;

}  // namespace nvinfer1
