// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What an engine must be to serve on a machine, and where it may lie. The names of the facts are
// those of pamtri_edge.runtime.tensorrt.fingerprint, so that Python's engines serve here and ours
// there.
#pragma once

#include <string>
#include <vector>

#include "fingerprint.hpp"

namespace pamtri::engines {

/// What of a machine an engine depends on.
struct Machine {
    std::string tensorrt;  ///< version, such as "10.3.0.26"
    std::string cuda;      ///< version of the CUDA runtime, such as "12.6"
    std::string compute;   ///< architecture of the GPU, such as "sm_87"
    std::string gpu;       ///< its name
    std::string l4t;       ///< release of a Jetson's system software, such as "36.4.0"; else ""
};

/// Where the engines of a bundle may lie: in the bundle, and in the user's cache folder.
std::vector<std::string> engine_folders(const std::string& bundle);

/// The fingerprint of a network's engine on a machine.
///
/// onnx:      SHA-256 of the network's file.
/// precision: what the bundle's manifest says; "" for none.
core::Fingerprint wanted_engine(const Machine& machine, const std::string& onnx,
                                const std::string& precision);

}  // namespace pamtri::engines
