// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What every engine that runs a bundle looks like to a pipeline. Includes nothing of CUDA, TensorRT
// or OpenVINO, so that a pipeline can be compiled and tested where none of them is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pamtri::engines {

enum class ElementType { kFloat32, kFloat16 };

/// Bytes of one element.
std::size_t size_of(ElementType type);

/// An input or output of the network.
struct TensorSpec {
    std::string name;
    ElementType type = ElementType::kFloat32;
    std::vector<std::int64_t> item;  ///< shape of one item: the batch, which comes first, left out

    /// Bytes of one item.
    std::size_t item_bytes() const;
};

/// Where a tensor's numbers lie.
enum class Place { kHost, kDevice };

/// What a network is given for one input: `count` items, contiguous.
struct Input {
    std::string_view name;
    const void* data = nullptr;
    Place place = Place::kHost;
};

/// Where one output is wanted: room for `count` items, contiguous.
struct Output {
    std::string_view name;
    void* data = nullptr;
    Place place = Place::kHost;
};

/// A cudaStream_t; nullptr is the default stream. Engines on a CPU ignore it.
using Stream = void*;

enum class LogLevel { kError, kWarning, kInfo, kDebug };

/// A network ready to run.
///
/// `run` may be called from several threads; the calls take turns. Each item of a batch gives the
/// same numbers whatever else is in the batch, up to rounding.
class Engine {
  public:
    Engine() = default;
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    virtual ~Engine() = default;

    virtual const std::vector<TensorSpec>& inputs() const = 0;
    virtual const std::vector<TensorSpec>& outputs() const = 0;

    /// The batch sizes that are really computed, ascending. A batch in between is filled up to the
    /// next of them, so a batcher does best to aim at these.
    virtual const std::vector<int>& batch_sizes() const = 0;

    /// The largest batch that `run` takes: the last of `batch_sizes`.
    int max_batch() const { return batch_sizes().back(); }

    /// Where the engine computes.
    virtual Place place() const = 0;

    /// The engine's own memory for a tensor, max_batch() items at `place()`.
    ///
    /// A kernel that writes its result to the memory of an input, and one that reads that of an
    /// output, save a copy: give the same pointer to `run`. It stays the same for the engine's
    /// life; what an output holds is overwritten by the next `run`.
    ///
    /// Throws EngineError: the network has no such tensor.
    virtual void* memory(std::string_view tensor) = 0;

    /// Compute the outputs of a batch.
    ///
    /// All work is put on `stream`: inputs are read and outputs written when the stream gets there,
    /// so both must stay valid until it has been synchronized. Nothing is waited for here. Calls on
    /// different streams are put in order by the engine.
    ///
    /// count:   items, 1 to max_batch().
    /// inputs:  each of the network's inputs once, in any order.
    /// outputs: those that are wanted; the others stay in the engine's memory.
    ///
    /// Throws EngineError: a wrong count, an unknown, missing or repeated tensor, a null pointer,
    /// or a failure of the engine. Memory of the caller may then hold a part of the results.
    virtual void run(int count, const std::vector<Input>& inputs,
                     const std::vector<Output>& outputs, Stream stream) = 0;

    /// Wait until all that was put on a stream is done.
    ///
    /// Throws EngineError: a part of it failed.
    virtual void finish(Stream stream) = 0;
};

}  // namespace pamtri::engines
