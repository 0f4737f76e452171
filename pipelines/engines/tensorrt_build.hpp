// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// From an ONNX file to a plan, the bytes of an engine: strongly typed, so that the file's types are
// kept. This header includes neither TensorRT nor CUDA.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "build_watch.hpp"
#include "engine_files.hpp"
#include "tensorrt_engine.hpp"

namespace pamtri::engines {

struct BuildRequest {
    std::string_view network;   ///< the ONNX file's bytes, all weights inside
    std::string path;           ///< where they come from, for messages
    int device = 0;             ///< CUDA's number of the GPU that shall run the engine
    std::string_view timing;    ///< what an earlier build on this GPU measured; may be empty
    std::size_t workspace = 0;  ///< bytes that a layer may use while it works; 0 for all there is
    BuildWatch watch;
    std::function<void(LogLevel, const std::string&)> log;  ///< may be empty
};

/// A plan and how it came about; the views of `engine` point to the two others.
struct BuiltPlan {
    core::BuiltEngine engine;
    std::shared_ptr<const void> plan, timing;
};

/// Build an engine, tuned for core::engine_profiles(), with TensorRT 10.3 and later, 11 too.
///
/// Throws EngineError: no GPU; the parser or the builder refuses the network, with its reason.
/// Cancelled: the watch says so. Whatever the watch throws passes through.
BuiltPlan build_plan(const BuildRequest& request);

}  // namespace pamtri::engines
