// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "networks.hpp"

#include <filesystem>
#include <map>
#include <mutex>
#include <system_error>
#include <tuple>

namespace pamtri::gst {

namespace {

using Key = std::tuple<std::string, std::string, int, std::string>;

/// One name for a folder, however it is written; what does not exist keeps the one that was given.
std::string one_name(const std::string& path) {
    std::error_code fault;
    const std::filesystem::path found = std::filesystem::canonical(path, fault);
    return fault ? path : found.string();
}

}  // namespace

std::shared_ptr<engines::Network> shared_network(const std::string& bundle,
                                                 const engines::NetworkOptions& options) {
    static std::mutex mutex;
    static std::map<Key, std::weak_ptr<engines::Network>> open;
    const Key key{one_name(bundle), options.device, options.threads, options.backend};
    // Held while one is opened: a second element waits for it, instead of opening its own.
    const std::lock_guard<std::mutex> lock(mutex);
    if (std::shared_ptr<engines::Network> known = open[key].lock()) return known;
    std::shared_ptr<engines::Network> network = open_network(bundle, options);
    open[key] = network;
    return network;
}

}  // namespace pamtri::gst
