// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The signatures and values that pipelines/engines relies on. Compiled with the fakes in every
// test, and with the real headers where there are some, so that a fake that drifts from them is
// found.
#include <NvInferRuntime.h>
#include <cuda_runtime_api.h>

#include <type_traits>

#include "signature_checks.hpp"

namespace {

using namespace nvinfer1;
using test::is;
using test::value;

static_assert(NV_TENSORRT_MAJOR > 10 || (NV_TENSORRT_MAJOR == 10 && NV_TENSORRT_MINOR >= 3));

using Context = IExecutionContext;
static_assert(
    is<bool (Context::*)(int32_t, cudaStream_t) noexcept>(&Context::setOptimizationProfileAsync));
static_assert(is<bool (Context::*)(char const*, Dims const&) noexcept>(&Context::setInputShape));
static_assert(is<Dims (Context::*)(char const*) const noexcept>(&Context::getTensorShape));
static_assert(is<bool (Context::*)(char const*, void*) noexcept>(&Context::setTensorAddress));
static_assert(is<void (Context::*)(void*, int64_t) noexcept>(&Context::setDeviceMemoryV2));
static_assert(is<bool (Context::*)(cudaStream_t) noexcept>(&Context::enqueueV3));

using Built = ICudaEngine;
static_assert(is<int32_t (Built::*)() const noexcept>(&Built::getNbIOTensors));
static_assert(is<char const* (Built::*)(int32_t) const noexcept>(&Built::getIOTensorName));
static_assert(is<TensorIOMode (Built::*)(char const*) const noexcept>(&Built::getTensorIOMode));
static_assert(is<Dims (Built::*)(char const*) const noexcept>(&Built::getTensorShape));
static_assert(is<DataType (Built::*)(char const*) const noexcept>(&Built::getTensorDataType));
static_assert(is<TensorLocation (Built::*)(char const*) const noexcept>(&Built::getTensorLocation));
static_assert(
    is<TensorFormat (Built::*)(char const*, int32_t) const noexcept>(&Built::getTensorFormat));
static_assert(is<int32_t (Built::*)() const noexcept>(&Built::getNbOptimizationProfiles));
static_assert(is<Dims (Built::*)(char const*, int32_t, OptProfileSelector) const noexcept>(
    &Built::getProfileShape));
static_assert(
    is<int64_t (Built::*)(int32_t) const noexcept>(&Built::getDeviceMemorySizeForProfileV2));
static_assert(is<Context* (Built::*)(ExecutionContextAllocationStrategy) noexcept>(
    &Built::createExecutionContext));

static_assert(
    is<Built* (IRuntime::*)(void const*, std::size_t) noexcept>(&IRuntime::deserializeCudaEngine));
static_assert(is<IRuntime* (*)(ILogger&) noexcept>(&createInferRuntime));
static_assert(is<void (ILogger::*)(ILogger::Severity, AsciiChar const*) noexcept>(&ILogger::log));
static_assert(is<int32_t (*)() noexcept>(&getInferLibMajorVersion));
static_assert(is<int32_t (*)() noexcept>(&getInferLibMinorVersion));
static_assert(is<int32_t (*)() noexcept>(&getInferLibPatchVersion));
static_assert(is<int32_t (*)() noexcept>(&getInferLibBuildVersion));

// Objects of the library are given back with delete.
static_assert(std::is_destructible_v<IRuntime> && std::is_destructible_v<ICudaEngine> &&
              std::is_destructible_v<IExecutionContext>);
static_assert(std::has_virtual_destructor_v<IRuntime> &&
              std::has_virtual_destructor_v<ICudaEngine> &&
              std::has_virtual_destructor_v<IExecutionContext>);
static_assert(Dims::MAX_DIMS == 8 && std::is_same_v<decltype(Dims::d), int64_t[8]>);

static_assert(value(DataType::kFLOAT) == 0 && value(DataType::kHALF) == 1 &&
              value(DataType::kINT8) == 2 && value(DataType::kINT32) == 3 &&
              value(DataType::kBOOL) == 4);
static_assert(value(TensorIOMode::kINPUT) == 1 && value(TensorIOMode::kOUTPUT) == 2);
static_assert(value(TensorLocation::kDEVICE) == 0 && value(TensorLocation::kHOST) == 1);
static_assert(value(TensorFormat::kLINEAR) == 0 && value(TensorFormat::kCHW2) == 1);
static_assert(value(OptProfileSelector::kMIN) == 0 && value(OptProfileSelector::kMAX) == 2);
static_assert(value(ExecutionContextAllocationStrategy::kUSER_MANAGED) == 2);
static_assert(value(ILogger::Severity::kINTERNAL_ERROR) == 0 &&
              value(ILogger::Severity::kERROR) == 1 && value(ILogger::Severity::kWARNING) == 2 &&
              value(ILogger::Severity::kINFO) == 3 && value(ILogger::Severity::kVERBOSE) == 4);

using Code = cudaError_t;
static_assert(is<Code (*)()>(&cudaGetLastError));
static_assert(is<const char* (*)(Code)>(&cudaGetErrorName));
static_assert(is<const char* (*)(Code)>(&cudaGetErrorString));
static_assert(is<Code (*)(int*)>(&cudaGetDeviceCount));
static_assert(is<Code (*)(int*)>(&cudaGetDevice));
static_assert(is<Code (*)(int)>(&cudaSetDevice));
static_assert(is<Code (*)(cudaDeviceProp*, int)>(&cudaGetDeviceProperties));
static_assert(is<Code (*)(int*)>(&cudaRuntimeGetVersion));
static_assert(is<Code (*)(int*)>(&cudaDriverGetVersion));
static_assert(is<Code (*)(void**, std::size_t)>(&cudaMalloc));
static_assert(is<Code (*)(void*)>(&cudaFree));
static_assert(
    is<Code (*)(void*, const void*, std::size_t, cudaMemcpyKind, cudaStream_t)>(&cudaMemcpyAsync));
static_assert(is<Code (*)(void*, std::size_t, const void*, std::size_t, std::size_t, std::size_t,
                          cudaMemcpyKind, cudaStream_t)>(&cudaMemcpy2DAsync));
static_assert(is<Code (*)(void*, int, std::size_t, cudaStream_t)>(&cudaMemsetAsync));
static_assert(is<Code (*)(cudaStream_t*, unsigned)>(&cudaStreamCreateWithFlags));
static_assert(is<Code (*)(cudaStream_t)>(&cudaStreamDestroy));
static_assert(is<Code (*)(cudaStream_t)>(&cudaStreamSynchronize));
static_assert(is<Code (*)(cudaStream_t, cudaEvent_t, unsigned)>(&cudaStreamWaitEvent));
static_assert(is<Code (*)(cudaEvent_t*, unsigned)>(&cudaEventCreateWithFlags));
static_assert(is<Code (*)(cudaEvent_t)>(&cudaEventDestroy));
static_assert(is<Code (*)(cudaEvent_t, cudaStream_t)>(&cudaEventRecord));
static_assert(is<Code (*)(cudaEvent_t)>(&cudaEventSynchronize));
static_assert(is<Code (*)(cudaStream_t, cudaStreamCaptureMode)>(&cudaStreamBeginCapture));
static_assert(is<Code (*)(cudaStream_t, cudaGraph_t*)>(&cudaStreamEndCapture));
static_assert(
    is<Code (*)(cudaGraphExec_t*, cudaGraph_t, unsigned long long)>(&cudaGraphInstantiate));
static_assert(is<Code (*)(cudaGraphExec_t, cudaStream_t)>(&cudaGraphLaunch));
static_assert(is<Code (*)(cudaGraph_t)>(&cudaGraphDestroy));
static_assert(is<Code (*)(cudaGraphExec_t)>(&cudaGraphExecDestroy));

static_assert(cudaSuccess == 0 && cudaErrorInvalidValue == 1 && cudaErrorMemoryAllocation == 2);
static_assert(cudaErrorInsufficientDriver == 35 && cudaErrorNoDevice == 100);
static_assert(cudaErrorInvalidDevice == 101 && cudaErrorInvalidResourceHandle == 400);
static_assert(cudaErrorIllegalAddress == 700 && cudaErrorStreamCaptureUnsupported == 900);
static_assert(cudaErrorStreamCaptureInvalidated == 901);
static_assert(cudaMemcpyHostToDevice == 1 && cudaMemcpyDeviceToHost == 2);
static_assert(cudaMemcpyDeviceToDevice == 3 && cudaStreamCaptureModeThreadLocal == 1);
static_assert(cudaStreamNonBlocking == 1 && cudaEventDisableTiming == 2);
static_assert(std::is_pointer_v<cudaStream_t> && std::is_pointer_v<cudaEvent_t>);
static_assert(sizeof(cudaDeviceProp::name) == 256);

}  // namespace
