// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The self-test: an engine must give, for the golden crops, what the exported file gave at export.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "bundle.hpp"
#include "engine.hpp"

namespace pamtri::engines {

/// An engine, and what is told of it.
struct NamedEngine {
    Engine& engine;
    std::string name;        ///< "openvino" or "tensorrt"
    std::string device;      ///< "cpu" or "cuda:N"
    std::string arithmetic;  ///< what its convolutions are computed in
};

/// Run the golden crops and compare every output with the manifest's tolerance, at each batch size
/// that the engine runs by code of its own.
///
/// sizes: these batch sizes; empty for the number of golden crops alone.
///
/// Throws BundleError: the engine's tensors are not those of the manifest, or an output differs by
/// more than its tolerance, or is not a number.
void self_test(const Bundle& bundle, const NamedEngine& engine, const std::vector<int>& sizes);

/// Run a batch on the host and wait for it.
std::map<std::string, std::vector<float>> run_on_host(
    Engine& engine, int count, const std::map<std::string, std::vector<float>>& inputs);

}  // namespace pamtri::engines
