// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <openvino/openvino.hpp>
#include <string>

namespace pamtri::engines {

/// A network for the CPU. Where a CPU has too few registers for what OpenVINO fuses, as those
/// without AVX-512 have for some graphs, nothing is fused; as `compile_for_cpu` in
/// pamtri_edge/runtime/openvino_library.py. Throws what OpenVINO throws.
inline ov::CompiledModel compile_for_cpu(ov::Core& core, const std::shared_ptr<ov::Model>& network,
                                         ov::AnyMap options) {
    try {
        return core.compile_model(network, "CPU", options);
    } catch (const ov::Exception& error) {
        if (std::string(error.what()).find("snippet") == std::string::npos) throw;
        options["SNIPPETS_MODE"] = "DISABLE";
        return core.compile_model(network, "CPU", options);
    }
}

}  // namespace pamtri::engines
