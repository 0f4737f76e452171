// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// An engine of the fake TensorRT, and what it gives.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "fake_cuda/device.hpp"
#include "tensorrt_engine.hpp"

namespace sample {

using pamtri::engines::Engine;
using pamtri::engines::Input;
using pamtri::engines::Output;
using pamtri::engines::Place;
using pamtri::engines::TensorRtOptions;

inline const std::string kTensors =
    "input images float 3 2 2\n"
    "input crop_size float 2\n"
    "output embedding float 5\n"
    "output quality float 1\n";

/// The profiles that pamtri-edge builds, by default.
inline const std::string kProfiles =
    "profile 1 16 32\nmemory 8000\n"
    "profile 8 8 8\nmemory 2000\n"
    "profile 16 16 16\nmemory 4000\n"
    "profile 32 32 32\nmemory 9000\n";

constexpr std::size_t kImage = 12;
constexpr std::size_t kSize = 2;
constexpr std::size_t kEmbedding = 5;

/// A file that goes when the test does.
class File {
  public:
    explicit File(const std::string& text) {
        const int file = mkstemp(path_.data());
        if (file < 0 || write(file, text.data(), text.size()) < 0) std::abort();
        close(file);
    }
    ~File() { std::remove(path_.c_str()); }
    const std::string& path() const { return path_; }

  private:
    std::string path_ = "/tmp/pamtri-engine-XXXXXX";
};

inline std::string text(const std::string& tensors = kTensors,
                        const std::string& profiles = kProfiles) {
    return "engine\ngpu 8.7\n" + tensors + profiles + "end\n";
}

inline std::unique_ptr<Engine> load(const std::string& plan, const TensorRtOptions& options = {}) {
    const File file(plan);
    return pamtri::engines::load_tensorrt(file.path(), options);
}

/// Numbers of a batch, and what the network makes of them.
struct Batch {
    int count;
    std::vector<float> images;
    std::vector<float> sizes;
    std::vector<float> embedding;  // as expected

    Batch(int items, int seed) : count(items), images(items * kImage), sizes(items * kSize) {
        unsigned state = static_cast<unsigned>(seed) * 2654435761u + 1u;
        const auto next = [&state] {
            state = state * 1664525u + 1013904223u;
            return static_cast<float>(state >> 28);
        };
        for (float& value : images) value = next();
        for (float& value : sizes) value = next();
        for (int i = 0; i < items; ++i) {
            float sum = 0;
            for (std::size_t k = 0; k < kImage; ++k) {
                sum += static_cast<float>(k + 1) * images[i * kImage + k];
            }
            for (std::size_t k = 0; k < kSize; ++k) {
                sum += static_cast<float>(k + 1) * sizes[i * kSize + k];
            }
            for (std::size_t j = 0; j < kEmbedding; ++j) {
                embedding.push_back(static_cast<float>(j + 1) * sum);
            }
        }
    }

    std::vector<Input> inputs() const {
        return {{"images", images.data(), Place::kHost}, {"crop_size", sizes.data(), Place::kHost}};
    }
};

/// Room for the embeddings of a batch, poisoned, with some beyond it.
struct Room {
    std::vector<float> values;

    explicit Room(int count) : values(static_cast<std::size_t>(count) * kEmbedding + 8, -77.0f) {}

    std::vector<Output> output() { return {{"embedding", values.data(), Place::kHost}}; }

    bool holds(const std::vector<float>& expected) const {
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (values[i] != (i < expected.size() ? expected[i] : -77.0f)) return false;
        }
        return true;
    }
};

/// A stream of the caller's.
class Stream {
  public:
    Stream() { cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking); }
    ~Stream() { cudaStreamDestroy(stream_); }
    void finish() const { cudaStreamSynchronize(stream_); }
    operator pamtri::engines::Stream() const { return stream_; }  // NOLINT: used as one
    cudaStream_t get() const { return stream_; }

  private:
    cudaStream_t stream_ = nullptr;
};

/// Memory of the device that a caller has for itself.
class Memory {
  public:
    explicit Memory(std::size_t bytes) { cudaMalloc(&data_, bytes); }
    ~Memory() { cudaFree(data_); }
    void* get() const { return data_; }

  private:
    void* data_ = nullptr;
};

/// How many lines of the journal begin so.
inline int noted(const std::string& beginning) {
    int count = 0;
    for (const std::string& line : device::journal()) count += line.rfind(beginning, 0) == 0;
    return count;
}

}  // namespace sample
