// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "network.hpp"

namespace pamtri::deepstream {

/// Opens a network in a thread of its own: an engine takes seconds to load, and frames go on.
class Loader {
  public:
    using Load = std::function<std::shared_ptr<engines::Network>()>;

    /// @param load what opens it, from the thread; it may throw
    /// @param loaded called from the thread at the end: with the network, or with why there is none
    Loader(Load load,
           std::function<void(const engines::Network* network, const std::string& fault)> loaded);

    /// Waits for the thread: what loads an engine cannot be stopped in its middle.
    ~Loader();

    /// The network; null while it is being opened, where it could not be, and after `interrupt`.
    ///
    /// @param waits until it is opened, or `interrupt` was called
    std::shared_ptr<engines::Network> get(bool waits);

    /// Whether it could not be opened; that was told when it was found.
    bool failed() const;

    /// Let nobody wait, or let them again.
    void interrupt(bool on);

  private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::shared_ptr<engines::Network> network_;
    bool over_ = false, interrupted_ = false;
    std::thread thread_;
};

}  // namespace pamtri::deepstream
