// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// A bundle on an engine: pictures of vehicles in, embeddings, attributes and keypoints out. What
// Python's Reidentifier is there.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "build_watch.hpp"
#include "engine.hpp"
#include "engine_error.hpp"

namespace pamtri::engines {

struct Manifest;

struct NetworkOptions {
    std::string device = "auto";   ///< "cpu", "cuda", "cuda:N", or "auto"
    int threads = 0;               ///< of the CPU; 0 for all that the process may use
    std::string backend = "auto";  ///< "openvino", "tensorrt", or "auto"
    bool build = true;             ///< build an engine for a GPU that has none, in minutes
    BuildWatch watch = {};         ///< of that
};

/// Width and height in pixels of the pictures that a network takes.
struct PictureSize {
    int width = 0, height = 0;
};

/// What a network says of one vehicle; empty where the bundle has no such output.
struct Answer {
    std::vector<float> embedding;  ///< D; of unit length unless the manifest says "raw"
    std::vector<float> color;      ///< a probability for each of the manifest's colors
    std::vector<float> type;       ///< a probability for each of the manifest's types
    std::vector<float> keypoints;  ///< x, y, confidence of each; x and y in parts of the picture
    std::optional<float> quality;  ///< of the pose, 0 to 1
};

/// Puts pictures `first` to `first + count` where an engine takes them: to its device's `memory`,
/// count x 3 x height x width of float32, on the stream.
using Fill = std::function<void(int first, int count, float* memory, Stream stream)>;

/// An opened bundle whose engine has proven itself on the bundle's golden pictures.
class Network {
  public:
    /// Open a bundle, NAME.pamtri, load its network and let it prove itself.
    ///
    /// Throws BundleError: missing, incomplete, changed, too new, or it gave other results than it
    /// promises. EngineError: the engine cannot be used here, or not be built. Cancelled: it was
    /// being built, and is not wanted any more. core::InputError: unknown options.
    static std::unique_ptr<Network> load(const std::string& path,
                                         const NetworkOptions& options = {});

    /// Whether `load` would use a GPU, where it may build an engine. Throws core::InputError.
    static bool is_for_gpu(const NetworkOptions& options);

    virtual ~Network() = default;

    virtual const Manifest& manifest() const = 0;
    virtual PictureSize picture_size() const = 0;

    /// The engine: "openvino" or "tensorrt", and what its convolutions are computed in.
    virtual const std::string& backend() const = 0;
    virtual const std::string& arithmetic() const = 0;

    /// Describe vehicles, each on a picture of its own. May be called from several threads. A
    /// vehicle's numbers do not depend on the others in its batch.
    ///
    /// pictures: count x height x width x 3 bytes, RGB; crops stretched to picture_size().
    /// count:    any number, 0 too.
    ///
    /// Throws EngineError: the engine failed, or gave an embedding that is no direction.
    virtual std::vector<Answer> run(const std::uint8_t* pictures, int count) = 0;

    /// As `run`, of pictures that lie on the engine's device already.
    ///
    /// fill:   called for a part of them at a time; calls of several threads take turns.
    /// stream: on which all of it happens; it is waited for.
    ///
    /// Throws EngineError, too: the engine computes on the host.
    virtual std::vector<Answer> run_on_device(int /*count*/, const Fill& /*fill*/,
                                              Stream /*stream*/) {
        throw EngineError("the engine (" + backend() +
                          ") computes on the host, and the pictures lie on a GPU; use a TensorRT "
                          "engine of that GPU.");
    }
};

}  // namespace pamtri::engines
