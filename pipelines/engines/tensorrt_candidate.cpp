// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "tensorrt_candidate.hpp"

#include <string>
#include <utility>

#include "engine_cache.hpp"
#include "engine_file.hpp"
#include "tensorrt_build.hpp"
#include "tensorrt_engine.hpp"
#include "tensorrt_machine.hpp"

namespace pamtri::engines {
namespace {

#ifdef PAMTRI_BUILDS_ENGINES
constexpr bool kBuilds = true;
constexpr const char* kHint =
    ". Allow it to be built, which takes minutes (build-engine=true), or build it here: "
    "pamtri-export with --engine, or Reidentifier.load() in Python on this machine.";
#else
constexpr bool kBuilds = false;
constexpr const char* kHint =
    ". This was compiled without TensorRT's parser of ONNX files (NvOnnxParser.h), so that it "
    "cannot build one; build it here: pamtri-export with --engine, or Reidentifier.load() in "
    "Python on this machine.";
#endif

/// How the engine is built; `made` keeps what was.
core::EngineBuild building(const Bundle& bundle, int device, const NetworkOptions& options,
                           BuiltPlan* made) {
    const BuildWatch& watch = options.watch;
    core::EngineBuild how;
    how.warns = watch.warned;
    bool told = false;
    how.waits = [&watch, told]() mutable {
        if (watch.is_cancelled()) throw Cancelled();
        if (!told && watch.told) watch.told({"Waiting for another process that builds it"});
        told = true;
    };
    if (options.build && kBuilds)
        how.build = [&bundle, device, &watch, made](const std::string& timing) {
            BuildRequest request;
            request.network = bundle.network;
            request.path = bundle.model();
            request.device = device;
            request.timing = timing;
            request.watch = watch;
            *made = build_plan(request);
            return made->engine;
        };
    return how;
}

}  // namespace

#ifndef PAMTRI_BUILDS_ENGINES
BuiltPlan build_plan(const BuildRequest& request) {
    throw EngineError("an engine of " + request.path + " cannot be built here.");
}
#endif

Candidate tensorrt_candidate(const Bundle& bundle, int device, const NetworkOptions& options) {
    const core::Fingerprint wanted = wanted_engine(
        this_machine(device), bundle.manifest.digest_of(kModelFile), bundle.manifest.precision);
    BuiltPlan made;
    core::CachedEngine engine;
    try {
        engine = core::cached_engine(wanted, engine_folders(bundle.path), kModelFile,
                                     building(bundle, device, options, &made));
    } catch (const core::NoEngine& none) {
        throw EngineError(none.what() + std::string(kHint));
    } catch (const core::NoPlace& none) {
        throw EngineError(none.what());
    }
    TensorRtOptions load;
    load.device = device;
    const std::string& path = engine.file.path;
    Candidate candidate{
        engine.built ? load_tensorrt(path, made.engine.plan, load) : load_tensorrt(path, load),
        "tensorrt",
        "cuda:" + std::to_string(device),
        engine.file.arithmetic,
        {}};
    candidate.by_itself = candidate.engine->batch_sizes();
    return candidate;
}

}  // namespace pamtri::engines
