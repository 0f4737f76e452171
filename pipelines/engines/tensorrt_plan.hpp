// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <NvInferRuntime.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "buckets.hpp"
#include "engine.hpp"
#include "tensorrt_engine.hpp"
#include "tensorrt_log.hpp"

namespace pamtri::engines {

/// Throw an EngineError unless CUDA has a GPU of that number.
///
/// To be asked before anything of TensorRT: without a driver its runtime ends the process.
void require_device(int device);

/// Throw an EngineError unless the TensorRT that is loaded is of the major version that this was
/// compiled for.
void require_version();

/// The version of TensorRT that is loaded, as "10.3.0.26".
std::string tensorrt_version();

/// An engine file, deserialized and found to be one that can be run: every tensor batch first,
/// linear, on the device, float32 or float16, and the profiles agreeing about the batch.
class Plan {
  public:
    /// path:  where the bytes come from, for messages.
    /// bytes: of the file.
    ///
    /// Throws EngineError: as load_tensorrt.
    Plan(const std::string& path, std::string_view bytes, const TensorRtOptions& options);

    const std::vector<TensorSpec>& inputs() const { return inputs_; }
    const std::vector<TensorSpec>& outputs() const { return outputs_; }

    /// The batch sizes of each profile, by its number.
    const std::vector<core::BatchRange>& batch_ranges() const { return ranges_; }

    /// Bytes of working memory that the neediest profile may ask for.
    std::size_t workspace_bytes() const;

    /// An execution context without working memory of its own.
    std::unique_ptr<nvinfer1::IExecutionContext> new_context() const;

    /// A sentence about this engine.
    std::string about(const std::string& text) const;

    /// Like about(), with what TensorRT complained of and a full stop.
    std::string complaint(const std::string& text) const;

    /// Tell the log.
    void warn(const std::string& text) const;

  private:
    void read_tensors();
    void read_profiles();
    core::BatchRange range_of(const TensorSpec& spec, int profile) const;

    std::string path_;
    // In the order in which they are made: the engine goes before the runtime, as TensorRT demands.
    std::unique_ptr<TensorRtLog> log_;
    std::unique_ptr<nvinfer1::IRuntime> runtime_;
    std::unique_ptr<nvinfer1::ICudaEngine> engine_;
    std::vector<TensorSpec> inputs_;
    std::vector<TensorSpec> outputs_;
    std::vector<core::BatchRange> ranges_;
};

}  // namespace pamtri::engines
