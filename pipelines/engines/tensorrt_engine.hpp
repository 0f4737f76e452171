// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// A network as a TensorRT engine. This header includes neither TensorRT nor CUDA.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine.hpp"

namespace pamtri::engines {

struct TensorRtOptions {
    int device = 0;      ///< CUDA's number of the GPU
    bool graphs = true;  ///< replay a batch size as a CUDA graph from its third run on
    std::function<void(LogLevel, const std::string&)>
        log;  ///< may be empty; called from any thread
};

/// Load an engine file, which is a plain TensorRT plan, onto the GPU.
///
/// Works with TensorRT 10.3 and later, 11 too. Every optimization profile is made ready, so what
/// does not fit is found here and not in the middle of a video.
///
/// Throws EngineError: no GPU or driver; a file that cannot be read, is cut short, or was built for
/// another GPU or TensorRT; a network that is not batch first with float32 or float16 tensors; too
/// little memory.
std::unique_ptr<Engine> load_tensorrt(const std::string& path, const TensorRtOptions& options = {});

/// As above, of an engine that is in memory.
///
/// path: where it lies or would lie, for messages.
std::unique_ptr<Engine> load_tensorrt(const std::string& path, std::string_view plan,
                                      const TensorRtOptions& options);

}  // namespace pamtri::engines
