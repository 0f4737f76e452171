// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// An engine from the disk, or built and put there: by one process at a time, for Python and for the
// elements alike.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine_files.hpp"

namespace pamtri::core {

/// There is no engine, and none may be built. The text is a clause.
class NoEngine : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// There is no place where an engine can be kept. The text is for the person who has to act on it.
class NoPlace : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// How an engine is built, and who is told of it. Whatever these throw passes through, and nothing
/// is left behind.
struct EngineBuild {
    /// Builds it, given what earlier builds on this device measured; empty where that is not
    /// allowed. What its views point to must live until `cached_engine` returns.
    std::function<BuiltEngine(const std::string& timing)> build;

    /// Called ten times a second while another process builds the same engine; may be empty.
    std::function<void()> waits;

    /// Told what a person should know; may be empty.
    std::function<void(const std::string&)> warns;
};

struct CachedEngine {
    EngineFile file;     ///< where it lies, or would lie if it could have been written
    bool built = false;  ///< just now
};

/// Return an engine from the disk, or build it and put it there.
///
/// wanted:  what the engine must be.
/// folders: where it may lie; a new one goes to the first that can be written.
/// model:   name of the ONNX file.
///
/// Throws NoEngine: there is none, and `build` is empty. NoPlace: no folder can be written.
CachedEngine cached_engine(const Fingerprint& wanted, const std::vector<std::string>& folders,
                           const std::string& model, const EngineBuild& how);

}  // namespace pamtri::core
