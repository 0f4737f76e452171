// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The device behind the fake CUDA, as tests and the fake TensorRT see it.
//
// It keeps what the real one promises, and no more. What is put on a stream happens when somebody
// waits for it, not before. Streams that nobody ordered run interleaved, a step of each in turn.
// Device memory cannot be touched by the host: its pages are closed but while the device works.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace device {

/// How many things of the device exist.
struct Live {
    int memories = 0;
    int streams = 0;
    int events = 0;
    int graphs = 0;

    bool none() const { return memories + streams + events + graphs == 0; }
};
Live live();

/// How many bytes cudaMalloc has given and not got back.
std::size_t bytes();

/// What was called, in order: "cudaMalloc 1024", "enqueueV3 8", ...
std::vector<std::string> journal();
void clear_journal();
void note(const std::string& line);

/// Let a function fail with a code when it is called for the nth time from now (0: the next time).
void fail(const std::string& function, cudaError_t code, int nth = 0);

/// The machine: how many GPUs, or which error asking for them gives.
void set_devices(int count, cudaError_t code = cudaSuccess);

/// Put a step on a stream, or, while the stream is recorded, into its graph.
cudaError_t put(cudaStream_t stream, std::function<void()> step);

bool is_recording(cudaStream_t stream);

/// Whether so many bytes from there on are one allocation's, and the start is aligned to 256 bytes.
bool owns(const void* memory, std::size_t size);

}  // namespace device
