// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <NvInfer.h>

#include <exception>
#include <mutex>

#include "build_phases.hpp"
#include "build_watch.hpp"

namespace pamtri::engines {

/// Passes on how far TensorRT is, and ends a build that nobody wants any more. TensorRT may call it
/// from several threads.
class Monitor final : public nvinfer1::IProgressMonitor {
  public:
    explicit Monitor(const BuildWatch& watch) : watch_(watch) {}

    void phaseStart(char const* phase, char const* parent, int32_t steps) noexcept override;
    bool stepComplete(char const* phase, int32_t step) noexcept override;
    void phaseFinish(char const* phase) noexcept override;

    /// Throw what ended the build, if anything did.
    void rethrow();

  private:
    void tell(char const* phase) noexcept;

    const BuildWatch& watch_;
    std::mutex mutex_;
    core::BuildPhases phases_;
    // An exception must not leave the methods, since their callers are not ours.
    std::exception_ptr stopped_by_;
};

}  // namespace pamtri::engines
