// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "tensorrt_plan.hpp"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <limits>

#include "cuda_resources.hpp"
#include "engine_error.hpp"

#if NV_TENSORRT_MAJOR < 10 || (NV_TENSORRT_MAJOR == 10 && NV_TENSORRT_MINOR < 3)
#error "pamtri-edge needs TensorRT 10.3 or later (JetPack 6.1, DeepStream 7.1)."
#endif

namespace pamtri::engines {
namespace {

constexpr const char* kRebuild =
    " Build it again on this machine: pamtri-export with --engine, or delete the bundle's folder "
    "engines/.";

std::string text_of(const nvinfer1::Dims& dims) {
    std::string text;
    for (int i = 0; i < dims.nbDims; ++i) text += (i == 0 ? "" : "x") + std::to_string(dims.d[i]);
    return text;
}

}  // namespace

void require_device(int device) {
    int count = 0;
    const cudaError_t code = cudaGetDeviceCount(&count);
    if (code == cudaErrorInsufficientDriver) {
        throw EngineError(
            "there is no NVIDIA driver, or it is older than this CUDA; a TensorRT engine needs "
            "it.");
    }
    if (code == cudaErrorNoDevice)
        count = 0;
    else
        check(code, "looking for a GPU");
    if (device < 0 || device >= count) {
        throw EngineError("there is no GPU " + std::to_string(device) + "; CUDA finds " +
                          std::to_string(count) + " of them.");
    }
}

std::string tensorrt_version() {
    return std::to_string(getInferLibMajorVersion()) + "." +
           std::to_string(getInferLibMinorVersion()) + "." +
           std::to_string(getInferLibPatchVersion()) + "." +
           std::to_string(getInferLibBuildVersion());
}

void require_version() {
    if (getInferLibMajorVersion() == NV_TENSORRT_MAJOR) return;
    throw EngineError("TensorRT " + tensorrt_version() + " is loaded, but this was compiled for " +
                      std::to_string(NV_TENSORRT_MAJOR) + "; compile it against that version.");
}

Plan::Plan(const std::string& path, std::string_view bytes, const TensorRtOptions& options)
    : path_(path), log_(std::make_unique<TensorRtLog>(options.log)) {
    require_version();
    runtime_.reset(nvinfer1::createInferRuntime(*log_));
    if (!runtime_) throw EngineError(complaint("TensorRT cannot be started"));
    engine_.reset(runtime_->deserializeCudaEngine(bytes.data(), bytes.size()));
    if (!engine_) {
        throw EngineError(complaint("TensorRT " + tensorrt_version() +
                                    " cannot read it; it is cut short, or was built by another "
                                    "TensorRT or for another GPU") +
                          kRebuild);
    }
    read_tensors();
    read_profiles();
}

void Plan::read_tensors() {
    for (int i = 0; i < engine_->getNbIOTensors(); ++i) {
        const char* name = engine_->getIOTensorName(i);
        const nvinfer1::Dims dims = engine_->getTensorShape(name);
        TensorSpec spec;
        spec.name = name;
        const std::string which = "tensor '" + spec.name + "' ";
        if (engine_->getTensorLocation(name) != nvinfer1::TensorLocation::kDEVICE) {
            throw EngineError(
                about(which + "lies on the host; tensors on the device are accepted."));
        }
        switch (engine_->getTensorDataType(name)) {
            case nvinfer1::DataType::kFLOAT:
                spec.type = ElementType::kFloat32;
                break;
            case nvinfer1::DataType::kHALF:
                spec.type = ElementType::kFloat16;
                break;
            default:
                throw EngineError(about(which + "is neither float32 nor float16."));
        }
        if (dims.nbDims < 1 || dims.d[0] == 0) {
            throw EngineError(about(which + "has no batch to begin with."));
        }
        for (int axis = 1; axis < dims.nbDims; ++axis) {
            if (dims.d[axis] < 1) {
                throw EngineError(about(which + "has shape " + text_of(dims) +
                                        "; only the batch, which comes first, may vary."));
            }
            spec.item.push_back(dims.d[axis]);
        }
        const bool input = engine_->getTensorIOMode(name) == nvinfer1::TensorIOMode::kINPUT;
        (input ? inputs_ : outputs_).push_back(std::move(spec));
    }
    if (inputs_.empty() || outputs_.empty()) {
        throw EngineError(about("it has no inputs or no outputs."));
    }
}

void Plan::read_profiles() {
    for (int profile = 0; profile < engine_->getNbOptimizationProfiles(); ++profile) {
        const core::BatchRange range = range_of(inputs_.front(), profile);
        for (const TensorSpec& spec : inputs_) {
            const core::BatchRange other = range_of(spec, profile);
            if (other.least != range.least || other.most != range.most) {
                throw EngineError(about("the inputs '" + inputs_.front().name + "' and '" +
                                        spec.name + "' have different batches in profile " +
                                        std::to_string(profile) + "."));
            }
        }
        for (const std::vector<TensorSpec>* specs : {&inputs_, &outputs_}) {
            for (const TensorSpec& spec : *specs) {
                if (engine_->getTensorFormat(spec.name.c_str(), profile) !=
                    nvinfer1::TensorFormat::kLINEAR) {
                    throw EngineError(about("tensor '" + spec.name +
                                            "' is not laid out linearly; build the engine without "
                                            "formats of input and output."));
                }
            }
        }
        ranges_.push_back(range);
    }
    if (ranges_.empty()) throw EngineError(about("it has no optimization profile."));
}

core::BatchRange Plan::range_of(const TensorSpec& spec, int profile) const {
    const auto batch = [&](nvinfer1::OptProfileSelector which) {
        const nvinfer1::Dims dims = engine_->getProfileShape(spec.name.c_str(), profile, which);
        const bool fits = dims.nbDims == static_cast<int>(spec.item.size()) + 1 && dims.d[0] > 0 &&
                          dims.d[0] <= std::numeric_limits<int>::max();
        if (!fits) {
            throw EngineError(complaint("profile " + std::to_string(profile) +
                                        " has no shape for '" + spec.name + "'"));
        }
        return static_cast<int>(dims.d[0]);
    };
    return {batch(nvinfer1::OptProfileSelector::kMIN), batch(nvinfer1::OptProfileSelector::kMAX)};
}

std::size_t Plan::workspace_bytes() const {
    std::int64_t most = 0;
    for (int profile = 0; profile < static_cast<int>(ranges_.size()); ++profile) {
        most = std::max(most, engine_->getDeviceMemorySizeForProfileV2(profile));
    }
    return static_cast<std::size_t>(most);
}

std::unique_ptr<nvinfer1::IExecutionContext> Plan::new_context() const {
    using Strategy = nvinfer1::ExecutionContextAllocationStrategy;
    std::unique_ptr<nvinfer1::IExecutionContext> context(
        engine_->createExecutionContext(Strategy::kUSER_MANAGED));
    if (!context) throw EngineError(complaint("no execution context can be made"));
    return context;
}

std::string Plan::about(const std::string& text) const { return "engine " + path_ + ": " + text; }

std::string Plan::complaint(const std::string& text) const {
    return about(text + log_->complaints() + ".");
}

void Plan::warn(const std::string& text) const {
    log_->log(nvinfer1::ILogger::Severity::kWARNING, text.c_str());
}

}  // namespace pamtri::engines
