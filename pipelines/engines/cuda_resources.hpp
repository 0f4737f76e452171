// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// CUDA's handles as objects that give themselves back, and its error codes as exceptions.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "engine_error.hpp"

namespace pamtri::engines {

/// Throw an EngineError that says what was being done, unless `code` is success.
inline void check(cudaError_t code, const std::string& what) {
    if (code == cudaSuccess) return;
    cudaGetLastError();  // the runtime keeps the code until it is asked; nobody after us is to
                         // blame
    throw EngineError(what + ": CUDA reports " + cudaGetErrorName(code) + " (" +
                      cudaGetErrorString(code) + ").");
}

struct Giver {
    void operator()(cudaStream_t stream) const { cudaStreamDestroy(stream); }
    void operator()(cudaEvent_t event) const { cudaEventDestroy(event); }
    void operator()(cudaGraph_t graph) const { cudaGraphDestroy(graph); }
    void operator()(cudaGraphExec_t graph) const { cudaGraphExecDestroy(graph); }
    void operator()(void* memory) const { cudaFree(memory); }
};

template <typename Handle>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, Giver>;

using OwnedStream = Owned<cudaStream_t>;
using OwnedEvent = Owned<cudaEvent_t>;
using OwnedGraph = Owned<cudaGraph_t>;
using OwnedExecutable = Owned<cudaGraphExec_t>;
using DeviceMemory = Owned<void*>;

inline OwnedStream new_stream() {
    cudaStream_t stream = nullptr;
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "creating a stream");
    return OwnedStream(stream);
}

inline OwnedEvent new_event() {
    cudaEvent_t event = nullptr;
    check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "creating an event");
    return OwnedEvent(event);
}

/// Memory of the current device, aligned to 256 bytes, its contents not yet set; null for no bytes.
inline DeviceMemory new_memory(std::size_t bytes, const std::string& what) {
    void* memory = nullptr;
    if (bytes > 0) check(cudaMalloc(&memory, bytes), what);
    return DeviceMemory(memory);
}

/// Makes a device the calling thread's current one, and the former one again at the end.
class DeviceGuard {
  public:
    explicit DeviceGuard(int device) {
        check(cudaGetDevice(&former_), "asking for the current device");
        if (former_ != device) check(cudaSetDevice(device), "choosing the device");
        changed_ = former_ != device;
    }
    DeviceGuard(const DeviceGuard&) = delete;
    DeviceGuard& operator=(const DeviceGuard&) = delete;
    ~DeviceGuard() {
        if (changed_) cudaSetDevice(former_);
    }

  private:
    int former_ = 0;
    bool changed_ = false;
};

}  // namespace pamtri::engines
