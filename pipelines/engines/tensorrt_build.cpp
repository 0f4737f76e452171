// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "tensorrt_build.hpp"

#include <NvInfer.h>
#include <NvOnnxParser.h>

#include <algorithm>
#include <cctype>
#include <chrono>

#include "buckets.hpp"
#include "cuda_resources.hpp"
#include "tensorrt_log.hpp"
#include "tensorrt_monitor.hpp"
#include "tensorrt_plan.hpp"

namespace pamtri::engines {
namespace {

using Clock = std::chrono::steady_clock;

std::string title() { return "TensorRT " + tensorrt_version(); }

/// A text of TensorRT's on one line, without a full stop.
std::string on_one_line(const char* text) {
    std::string line = text ? text : "";
    std::replace_if(
        line.begin(), line.end(), [](unsigned char c) { return std::iscntrl(c) != 0; }, ' ');
    const std::size_t end = line.find_last_not_of(". ");
    return line.substr(0, end == std::string::npos ? 0 : end + 1);
}

/// One error of the parser: the node, the reason, and the line of the parser's own source.
std::string reason_of(const nvonnxparser::IParserError& error) {
    const std::string reason = on_one_line(error.desc());
    std::string text;
    if (error.node() >= 0 &&
        reason.rfind("In node", 0) != 0) {  // which some releases say themselves
        const std::string name = on_one_line(error.nodeName());
        const std::string type = on_one_line(error.nodeOperator());
        text = "node " + std::to_string(error.node()) + (name.empty() ? "" : " '" + name + "'") +
               (type.empty() ? "" : " (" + type + ")") + ": ";
    }
    const std::string file = on_one_line(error.file());
    return text + (reason.empty() ? "no reason given" : reason) +
           (file.empty() ? "" : " [" + file + ":" + std::to_string(error.line()) + "]");
}

std::string reasons_of(const nvonnxparser::IParser& parser, TensorRtLog& log) {
    std::string text;
    for (int i = 0; i < parser.getNbErrors(); ++i)
        text += (i == 0 ? ": " : "; ") + reason_of(*parser.getError(i));
    return text.empty() ? on_one_line(log.complaints().c_str()) : text;
}

/// What TensorRT says where it has not enough of the GPU's memory, or of the host's.
bool speaks_of_memory(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    for (const char* words :
         {"out of memory", "outofmemory", "insufficient memory", "bad_alloc", "memory allocation"})
        if (text.find(words) != std::string::npos) return true;
    return false;
}

EngineError refusal(const BuildRequest& request, const std::string& reasons) {
    const std::string text = title() + " cannot build an engine of " + request.path + reasons;
    if (speaks_of_memory(reasons))
        return EngineError(text +
                           ". Memory ran out: close other programs that use the GPU, and start "
                           "this one again.");
    return EngineError(text +
                       ". Export the bundle with this release, in another --precision, or use "
                       "another version of TensorRT.");
}

nvinfer1::NetworkDefinitionCreationFlags typed_strongly() {
#if NV_TENSORRT_MAJOR >= 11
    return 1u;  // kSTRONGLY_TYPED, whose name is deprecated there, for every network is
#else
    return 1u << static_cast<int>(nvinfer1::NetworkDefinitionCreationFlag::kSTRONGLY_TYPED);
#endif
}

using Parser = std::unique_ptr<nvonnxparser::IParser>;

/// Read the file into the network, whose weights are the parser's.
Parser parse(const BuildRequest& request, nvinfer1::INetworkDefinition& network, TensorRtLog& log) {
    Parser parser(nvonnxparser::createParser(network, log));
    if (!parser) throw refusal(request, ", for its parser cannot be started" + log.complaints());
    if (!parser->parse(request.network.data(), request.network.size(), request.path.c_str()))
        throw EngineError(title() + " cannot read " + request.path + reasons_of(*parser, log) +
                          ". Export the bundle with this release, whose rules keep to what "
                          "TensorRT 10.3 knows.");
    return parser;
}

void add_profiles(const BuildRequest& request, nvinfer1::IBuilder& builder,
                  const nvinfer1::INetworkDefinition& network, nvinfer1::IBuilderConfig& config,
                  TensorRtLog& log) {
    using Selector = nvinfer1::OptProfileSelector;
    for (const core::BatchProfile& batch : core::engine_profiles()) {
        nvinfer1::IOptimizationProfile* profile = builder.createOptimizationProfile();
        bool fits = profile != nullptr;
        for (int i = 0; fits && i < network.getNbInputs(); ++i) {
            const nvinfer1::ITensor& input = *network.getInput(i);
            nvinfer1::Dims dims = input.getDimensions();
            if (dims.nbDims < 1 || dims.d[0] != -1)
                throw EngineError(request.path + " takes its input '" + input.getName() +
                                  "' in one batch size only; engines have " +
                                  core::text_of(core::engine_profiles()) +
                                  ". Export the bundle again with this release.");
            for (const auto& [which, size] : {std::pair{Selector::kMIN, batch.least},
                                              {Selector::kOPT, batch.best},
                                              {Selector::kMAX, batch.most}}) {
                dims.d[0] = size;
                fits = fits && profile->setDimensions(input.getName(), which, dims);
            }
        }
        if (!fits || config.addOptimizationProfile(profile) < 0)
            throw refusal(request, ", for it refuses a batch profile" + log.complaints());
    }
}

using Timings = std::unique_ptr<nvinfer1::ITimingCache>;

/// What was measured so far, put to use; that of another device or version is left aside.
Timings set_timings(const BuildRequest& request, nvinfer1::IBuilderConfig& config) {
    Timings cache(config.createTimingCache(request.timing.data(), request.timing.size()));
    if (cache && config.setTimingCache(*cache, false)) return cache;
    cache.reset(config.createTimingCache(nullptr, 0));
    if (cache && !config.setTimingCache(*cache, false)) cache.reset();
    return cache;
}

/// The narrowest type that a strongly typed network's convolutions are fed with.
std::string arithmetic_of(const nvinfer1::INetworkDefinition& network) {
    std::string narrowest = "fp32";
    for (int i = 0; i < network.getNbLayers(); ++i) {
        const nvinfer1::ILayer& layer = *network.getLayer(i);
        if (layer.getType() == nvinfer1::LayerType::kDEQUANTIZE) return "int8";
        if (layer.getType() == nvinfer1::LayerType::kCONVOLUTION &&
            layer.getInput(0)->getType() == nvinfer1::DataType::kHALF)
            narrowest = "fp16";
    }
    return narrowest;
}

std::string_view view_of(const nvinfer1::IHostMemory& memory) {
    return {static_cast<const char*>(memory.data()), memory.size()};
}

}  // namespace

BuiltPlan build_plan(const BuildRequest& request) {
    require_device(request.device);
    require_version();
    if (request.watch.is_cancelled()) throw Cancelled();
    const DeviceGuard guard(request.device);
    // In the order in which they are made; each goes before what it stands on.
    TensorRtLog log(request.log);
    const std::unique_ptr<nvinfer1::IBuilder> builder(nvinfer1::createInferBuilder(log));
    if (!builder) throw refusal(request, ", for its builder cannot be started" + log.complaints());
    const std::unique_ptr<nvinfer1::INetworkDefinition> network(
        builder->createNetworkV2(typed_strongly()));
    if (!network) throw refusal(request, log.complaints());
    const Parser parser = parse(request, *network, log);
    Timings timings;
    Monitor monitor(request.watch);
    const std::unique_ptr<nvinfer1::IBuilderConfig> config(builder->createBuilderConfig());
    if (!config) throw refusal(request, log.complaints());
    // Float32 layers compute in float32, as the file says; TensorFloat-32 has a mantissa of 10
    // bits.
    config->clearFlag(nvinfer1::BuilderFlag::kTF32);
    if (request.workspace > 0)
        config->setMemoryPoolLimit(nvinfer1::MemoryPoolType::kWORKSPACE, request.workspace);
    add_profiles(request, *builder, *network, *config, log);
    timings = set_timings(request, *config);
    config->setProgressMonitor(&monitor);
    const Clock::time_point begin = Clock::now();
    const std::shared_ptr<nvinfer1::IHostMemory> plan(
        builder->buildSerializedNetwork(*network, *config));
    monitor.rethrow();
    if (!plan) throw refusal(request, log.complaints());
    BuiltPlan built;
    built.plan = plan;
    built.engine.plan = view_of(*plan);
    built.engine.arithmetic = arithmetic_of(*network);
    built.engine.layers = network->getNbLayers();
    built.engine.build_s = std::chrono::duration<double>(Clock::now() - begin).count();
    if (timings) {
        const std::shared_ptr<nvinfer1::IHostMemory> bytes(timings->serialize());
        built.timing = bytes;
        if (bytes) built.engine.timing = view_of(*bytes);
    }
    return built;
}

}  // namespace pamtri::engines
