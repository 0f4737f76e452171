// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Which of a bundle's engines serves on this machine. Python's pamtri_edge.runtime.tensorrt builds
// them and writes a record beside each; the names of its fields are those of engine_cache.py and
// fingerprint.py there.
#pragma once

#include <string>
#include <vector>

namespace pamtri::engines {

/// What of a machine an engine depends on.
struct Machine {
    std::string tensorrt;  ///< version, such as "10.3.0.26"
    int cuda_major = 0;    ///< of the CUDA runtime, such as 12
    std::string compute;   ///< architecture of the GPU, such as "sm_87"
    std::string gpu;       ///< its name
    std::string l4t;       ///< release of a Jetson's system software, such as "36.4.0"; else ""
};

/// An engine that fits.
struct EngineFile {
    std::string path;
    std::string arithmetic;  ///< of its convolutions: "fp32", "fp16" or "int8"
};

/// Where the engines of a bundle may lie: in the bundle, and in the user's cache folder.
std::vector<std::string> engine_folders(const std::string& bundle);

/// Find the engine of a bundle's network that was built on such a machine, the newest if several.
///
/// bundle: the folder NAME.pamtri.
/// model:  which of its networks: "model.onnx", or "staged.pose.onnx" and "staged.reid.onnx".
///
/// Throws EngineError: the bundle cannot be read or has no such network; or no engine fits, with
/// what each that is there was built for.
EngineFile find_engine(const std::string& bundle, const Machine& machine,
                       const std::string& model = "model.onnx");

}  // namespace pamtri::engines
