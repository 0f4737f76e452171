// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "network.hpp"

#include <algorithm>
#include <cstddef>

#include "bundle.hpp"
#include "errors.hpp"
#include "processors.hpp"
#include "tested_network.hpp"
#include "words.hpp"
#ifdef PAMTRI_HAS_OPENVINO
#include "openvino_engine.hpp"
#endif
#ifdef PAMTRI_HAS_TENSORRT
#include "tensorrt_candidate.hpp"
#include "tensorrt_machine.hpp"
#endif

namespace pamtri::engines {
namespace {

/// What a user asked for, checked.
struct Wish {
    std::string backend;
    bool gpu = false;  ///< a GPU was asked for by name
    int number = 0;    ///< CUDA's of it
    int threads = 1;
};

/// The number of "cuda" or "cuda:N"; -1 for no such text.
int gpu_number(const std::string& device) {
    if (device == "cuda") return 0;
    const std::string number = device.rfind("cuda:", 0) == 0 ? device.substr(5) : "";
    const bool digits = !number.empty() && number.size() < 6 &&
                        number.find_first_not_of("0123456789") == std::string::npos;
    return digits ? std::stoi(number) : -1;
}

Wish checked(const NetworkOptions& options) {
    static const std::vector<std::string> kBackends = {"auto", "openvino", "tensorrt"};
    if (std::find(kBackends.begin(), kBackends.end(), options.backend) == kBackends.end())
        throw core::InputError("backend is " + in_quotes(options.backend) +
                               "; accepted: " + quoted_list(kBackends) + ".");
    const std::string& device = options.device;
    const bool named = device == "auto" || device == "cpu";
    if (!named && gpu_number(device) < 0)
        throw core::InputError("device is " + in_quotes(device) +
                               "; accepted: 'auto', 'cpu', 'cuda', 'cuda:N'.");
    if (options.threads < 0)
        throw core::InputError("threads is " + std::to_string(options.threads) +
                               "; expected at least 1, or 0 for all.");
    if (options.backend == "tensorrt" && device == "cpu")
        throw core::InputError(
            "backend 'tensorrt' runs on an NVIDIA GPU, not on 'cpu'; use backend='openvino'.");
    if (options.backend == "openvino" && !named)
        throw core::InputError("backend 'openvino' runs on the CPU, not on " + in_quotes(device) +
                               "; use device='cpu', or backend='tensorrt'.");
    const int threads = options.threads > 0 ? options.threads : available_processors();
    return {options.backend, !named, named ? 0 : gpu_number(device), threads};
}

Candidate on_openvino(const Bundle& bundle, [[maybe_unused]] const Wish& wish) {
#ifdef PAMTRI_HAS_OPENVINO
    OpenVino made = load_openvino(bundle.network, bundle.model(), wish.threads);
    return {std::move(made.engine), "openvino", "cpu", made.arithmetic, {}};
#else
    throw EngineError(bundle.path +
                      " cannot be run: this was built without OpenVINO. Install it (pip install "
                      "openvino) and build again.");
#endif
}

Candidate on_tensorrt(const Bundle& bundle, [[maybe_unused]] const Wish& wish,
                      [[maybe_unused]] const NetworkOptions& options) {
#ifdef PAMTRI_HAS_TENSORRT
    return tensorrt_candidate(bundle, wish.number, options);
#else
    throw EngineError(bundle.path +
                      " cannot be run on a GPU: this was built without TensorRT. Build it with "
                      "-DPAMTRI_TENSORRT_INCLUDE=FOLDER, or use device 'cpu'.");
#endif
}

/// Whether an engine on a GPU is worth trying where none was asked for.
bool has_gpu([[maybe_unused]] const Wish& wish) {
#ifdef PAMTRI_HAS_TENSORRT
    try {
        this_machine(wish.number);
        return true;
    } catch (const EngineError&) {
        return false;
    }
#else
    return false;
#endif
}

bool is_for_gpu(const Wish& wish, const NetworkOptions& options) {
    return wish.backend == "tensorrt" || wish.gpu ||
           (wish.backend == "auto" && options.device == "auto" && has_gpu(wish));
}

}  // namespace

bool Network::is_for_gpu(const NetworkOptions& options) {
    return engines::is_for_gpu(checked(options), options);
}

std::unique_ptr<Network> Network::load(const std::string& path, const NetworkOptions& options) {
    const Wish wish = checked(options);
    Bundle bundle = open_bundle(path);
    const bool gpu = engines::is_for_gpu(wish, options);
    Candidate candidate = gpu ? on_tensorrt(bundle, wish, options) : on_openvino(bundle, wish);
    return tested_network(std::move(bundle), std::move(candidate));
}

}  // namespace pamtri::engines
