// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What an engine of the fake TensorRT is: a text that says what it takes and gives.
//
//     engine
//     gpu 8.7
//     input images float 3 4 4
//     output embedding float 5
//     output ids int32 2            what else may stand here: half, host, chw2, one (no batch)
//     profile 1 16 32 [name 1 8 16] least, usual and largest batch [of one input, where it differs]
//     memory 4096                   working memory of the last profile
//     unrecordable                  cannot be recorded as a graph
//     end
//
// It computes: output[j] = (j + 1) * (the sum over all inputs and their places k of (k + 1) *
// input[k]), for each item alone.
#pragma once

#include <NvInferRuntime.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace nvinfer1 {

struct FakeTensor {
    std::string name;
    bool input = false;
    DataType type = DataType::kFLOAT;
    TensorLocation location = TensorLocation::kDEVICE;
    TensorFormat format = TensorFormat::kLINEAR;
    std::vector<int64_t> item;
    bool fixed = false;  // always a batch of one, whatever goes in

    std::size_t item_size() const;
    std::size_t item_bytes() const;
};

struct FakeProfile {
    int64_t batch[3] = {1, 1, 1};
    std::map<std::string, std::vector<int64_t>> others;  // inputs with a batch of their own
    int64_t memory = 0;

    int64_t of(const std::string& name, OptProfileSelector select) const;
};

struct EngineState {
    ILogger* logger = nullptr;
    std::vector<FakeTensor> tensors;
    std::vector<FakeProfile> profiles;
    bool recordable = true;
    int contexts = 0;

    const FakeTensor* find(const std::string& name) const;
    bool complain(const std::string& text) const;
};

/// Read the text; null with a reason if it is no engine.
std::shared_ptr<EngineState> parse_engine(const std::string& text, std::string& reason);

/// Compute a batch; the addresses by name are readable.
void compute(const EngineState& engine, int64_t batch,
             const std::map<std::string, void*>& addresses);

/// What getInferLib*Version() say.
void set_library_version(int major);

/// Let the nth call of enqueueV3 from now fail, with a complaint.
void fail_enqueue(int nth, const std::string& complaint);
bool enqueue_fails(std::string& complaint);

}  // namespace nvinfer1
