// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "loader.hpp"

#include <exception>
#include <utility>

namespace pamtri::gst {

Loader::Loader(Load load, Listener listener, bool beside) {
    if (beside)
        thread_ = std::thread([this, load = std::move(load), listener = std::move(listener)] {
            run(load, listener);
        });
    else
        run(load, listener);
}

Loader::~Loader() {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        cancelled_ = true;
    }
    if (thread_.joinable()) thread_.join();
}

void Loader::run(const Load& load, const Listener& listener) {
    std::shared_ptr<engines::Network> network;
    try {
        network = load(watch(listener));
        listener.loaded(*network);
    } catch (const engines::Cancelled&) {
        listener.cancelled();
    } catch (const std::exception& error) {
        listener.failed(error.what());
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    network_ = std::move(network);
    over_ = true;
    changed_.notify_all();
}

engines::BuildWatch Loader::watch(const Listener& listener) {
    engines::BuildWatch watch;
    watch.told = [this, &listener](const engines::BuildProgress& progress) {
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            builds_ = true;
        }
        changed_.notify_all();
        listener.builds(progress);
    };
    watch.cancelled = [this] {
        const std::lock_guard<std::mutex> lock(mutex_);
        return cancelled_;
    };
    watch.warned = listener.warns;
    return watch;
}

std::shared_ptr<engines::Network> Loader::get(bool waits) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (waits) changed_.wait(lock, [this] { return over_ || interrupted_; });
    return network_;
}

void Loader::settle() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return over_ || builds_; });
}

bool Loader::failed() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return over_ && !network_;
}

void Loader::interrupt(bool on) {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        interrupted_ = on;
    }
    changed_.notify_all();
}

}  // namespace pamtri::gst
