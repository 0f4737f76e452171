// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "networks.hpp"

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <system_error>
#include <tuple>
#include <utility>

namespace pamtri::gst {

namespace {

using Key = std::tuple<std::string, std::string, int, std::string>;

constexpr std::chrono::milliseconds kPatience{100};

/// A network that elements share, or one that the first of them is opening.
struct Shared {
    std::weak_ptr<engines::Network> network;
    bool opening = false;
    engines::BuildProgress progress;
    int told = 0;  ///< how often of that
};

std::mutex mutex;
std::condition_variable changed;
std::map<Key, Shared> networks;

/// One name for a folder, however it is written; what does not exist keeps the one that was given.
std::string one_name(const std::string& path) {
    std::error_code fault;
    const std::filesystem::path found = std::filesystem::canonical(path, fault);
    return fault ? path : found.string();
}

/// The network as another element has it or opens it, whose progress is told here as well; null
/// where it is this one's turn to open it.
std::shared_ptr<engines::Network> anothers(Shared& shared, const engines::BuildWatch& watch) {
    std::unique_lock<std::mutex> lock(mutex);
    int told = 0;
    while (true) {
        if (std::shared_ptr<engines::Network> known = shared.network.lock()) return known;
        if (!shared.opening) break;
        if (watch.told && shared.told != told) {
            told = shared.told;
            const engines::BuildProgress progress = shared.progress;
            lock.unlock();
            watch.told(progress);
            lock.lock();
            continue;
        }
        if (watch.is_cancelled()) throw engines::Cancelled();
        changed.wait_for(lock, kPatience);
    }
    shared.opening = true;
    return nullptr;
}

/// What is told of a build is told to those who wait for it, too.
engines::BuildWatch overheard(Shared& shared, const engines::BuildWatch& watch) {
    engines::BuildWatch loud = watch;
    loud.told = [&shared, told = watch.told](const engines::BuildProgress& progress) {
        {
            const std::lock_guard<std::mutex> lock(mutex);
            shared.progress = progress;
            ++shared.told;
        }
        changed.notify_all();
        if (told) told(progress);
    };
    return loud;
}

}  // namespace

std::shared_ptr<engines::Network> shared_network(const std::string& bundle,
                                                 const engines::NetworkOptions& options) {
    const Key key{one_name(bundle), options.device, options.threads, options.backend};
    Shared* shared = nullptr;
    {
        const std::lock_guard<std::mutex> lock(mutex);
        shared = &networks[key];
    }
    if (auto known = anothers(*shared, options.watch)) return known;
    std::shared_ptr<engines::Network> network;
    const auto hand_over = [&] {
        {
            const std::lock_guard<std::mutex> lock(mutex);
            shared->network = network;
            shared->opening = false;
            shared->told = 0;
        }
        changed.notify_all();
    };
    engines::NetworkOptions loud = options;
    loud.watch = overheard(*shared, options.watch);
    try {
        network = open_network(bundle, loud);
    } catch (...) {
        hand_over();  // the next of those who wait tries it
        throw;
    }
    hand_over();
    return network;
}

}  // namespace pamtri::gst
