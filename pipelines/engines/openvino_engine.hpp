// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// A network on the CPU, run by OpenVINO. This header includes nothing of it.
#pragma once

#include <memory>
#include <string>

#include "engine.hpp"

namespace pamtri::engines {

/// What OpenVINO made of a network.
struct OpenVino {
    std::unique_ptr<Engine> engine;
    std::string arithmetic;  ///< of its convolutions: "fp32", "fp16", "bf16" or "int8"
    int streams = 1;         ///< items that run side by side
};

/// Compile a network for the CPU, as Python's pamtri_edge.runtime.openvino does, so that both give
/// the same numbers: float32 arithmetic but for quantized layers, one item a stream.
///
/// content: the bytes of the ONNX file.
/// path:    how errors call it.
/// threads: of the CPU.
///
/// Throws BundleError: OpenVINO cannot read or compile it, or its tensors cannot be ours.
OpenVino load_openvino(const std::string& content, const std::string& path, int threads);

}  // namespace pamtri::engines
