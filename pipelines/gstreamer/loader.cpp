// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "loader.hpp"

#include <exception>
#include <utility>

namespace pamtri::deepstream {

Loader::Loader(Load load, std::function<void(const engines::Network*, const std::string&)> loaded)
    : thread_([this, load = std::move(load), loaded = std::move(loaded)] {
          std::shared_ptr<engines::Network> network;
          std::string fault;
          try {
              network = load();
          } catch (const std::exception& error) {
              fault = error.what();
          }
          loaded(network.get(), fault);
          const std::lock_guard<std::mutex> lock(mutex_);
          network_ = std::move(network);
          over_ = true;
          changed_.notify_all();
      }) {}

Loader::~Loader() { thread_.join(); }

std::shared_ptr<engines::Network> Loader::get(bool waits) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (waits) changed_.wait(lock, [this] { return over_ || interrupted_; });
    return network_;
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

}  // namespace pamtri::deepstream
