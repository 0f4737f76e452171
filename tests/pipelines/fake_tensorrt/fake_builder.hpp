// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What the fake builder takes for an ONNX file: a text.
//
//     onnx
//     input images float 3 2 2      sizes of an item; "batch 4" behind them for a fixed batch
//     output embedding float 5
//     convolution half              a layer; or "dequantize"
//     error 3 /conv1 Conv what is wrong with the node
//     end
//
// An engine is built in two steps of "Building engine", the first in four of "Timing tactics".
#pragma once

#include <NvInfer.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace nvinfer1 {

struct FakeNetwork {
    NetworkDefinitionCreationFlags flags = 0;
    std::vector<std::unique_ptr<ITensor>> inputs;
    std::vector<std::unique_ptr<ILayer>> layers;
    std::string tensors;      ///< as lines of an engine
    bool has_parser = false;  ///< that owns the weights
};

struct FakeConfig {
    bool tf32 = true;
    std::size_t workspace = 0;
    std::vector<std::vector<int64_t>> profiles;
    ITimingCache const* timing = nullptr;
    IProgressMonitor* monitor = nullptr;
};

/// What builders did since this was last asked.
struct FakeBuilds {
    int begun = 0, done = 0;
    int timed = 0;  ///< steps that were measured, for nothing was known of them
    bool tf32 = false;
    NetworkDefinitionCreationFlags flags = 0;
    std::size_t workspace = 0;
};
FakeBuilds take_builds();

/// Let builds fail with a complaint; "" lets them go on.
void fail_builds(const std::string& complaint);

/// Called in each step of a build, after the monitor.
void at_steps(std::function<void()> called);

}  // namespace nvinfer1
