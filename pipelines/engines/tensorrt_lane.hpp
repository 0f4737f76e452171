// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <NvInferRuntime.h>
#include <cuda_runtime_api.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "buckets.hpp"
#include "cuda_resources.hpp"
#include "tensorrt_plan.hpp"

namespace pamtri::engines {

/// Where a tensor lies on the device.
struct Address {
    std::string name;
    void* data = nullptr;
};

/// One batch size of an engine: an execution context fixed to it, and its CUDA graph.
///
/// The first run goes through TensorRT, which does on it what it had put off. The second records
/// what TensorRT enqueues, and it and all others replay the record. Where a network cannot be
/// recorded, all runs go through TensorRT, and the log says why.
class Lane {
  public:
    /// plan:      outlives the lane.
    /// addresses: of all tensors, with room for the batch.
    /// workspace: shared with other lanes: no two may run at a time.
    /// stream:    on which TensorRT prepares; it is waited for.
    ///
    /// Throws EngineError: TensorRT refuses the profile, a shape or an address, or an output's
    /// shape depends on what is in the tensors.
    Lane(const Plan& plan, const core::Bucket& bucket, const std::vector<Address>& addresses,
         void* workspace, std::size_t workspace_bytes, cudaStream_t stream, bool graphs);

    /// Put the computation of the batch on the stream.
    ///
    /// Throws EngineError: TensorRT or CUDA fails.
    void enqueue(cudaStream_t stream);

  private:
    enum class State { kFresh, kRun, kRecorded, kPlain };

    void set_shapes(cudaStream_t stream);
    void record();
    std::string about(const std::string& text) const;

    const Plan& plan_;
    core::Bucket bucket_;
    std::unique_ptr<nvinfer1::IExecutionContext> context_;
    OwnedStream recorder_;
    OwnedExecutable graph_;
    State state_;
};

}  // namespace pamtri::engines
