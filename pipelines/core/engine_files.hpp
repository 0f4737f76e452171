// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Engines on disk: NAME.engine, a pure TensorRT plan, and NAME.json, its record, which has the
// plan's SHA-256. NAME is the fingerprint's digest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fingerprint.hpp"

namespace pamtri::core {

/// An engine that serves.
struct EngineFile {
    std::string path;
    std::string arithmetic;  ///< of its convolutions: "fp32", "fp16" or "int8"
};

/// What was looked for, and found or not.
struct EngineSearch {
    std::optional<EngineFile> found;
    std::vector<std::string> faults;  ///< of files that should serve and do not, a clause each
    std::string why;                  ///< none was found, as a clause
};

/// Find the engine of a network: the newest whole one that was built for such a machine.
///
/// wanted:  all facts of the machine and the network.
/// folders: where it may lie, the preferred one first; they need not be there.
/// model:   name of the ONNX file, by which engines for something else are recognized.
EngineSearch find_engine(const Fingerprint& wanted, const std::vector<std::string>& folders,
                         const std::string& model);

/// What a build gave. The views are the caller's.
struct BuiltEngine {
    std::string_view plan;         ///< the engine's bytes
    std::string_view timing;       ///< what the build measured, for the next one here; may be empty
    std::string via = "tensorrt";  ///< what read the network
    std::string arithmetic = "fp32";
    std::int64_t layers = 0;  ///< of the network as parsed
    double build_s = 0;       ///< seconds
};

/// Write an engine and its record, both whole or not at all.
///
/// Throws std::system_error: they cannot be written.
EngineFile store_engine(const Fingerprint& wanted, const std::string& folder,
                        const std::string& model, const BuiltEngine& built);

/// The bytes of a file; none where it cannot be read to its end.
std::optional<std::string> contents_of(const std::string& path);

}  // namespace pamtri::core
