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

namespace pamtri::gst {

/// Opens a network, in a thread of its own where an engine may have to be built: that takes
/// minutes, and frames go on.
class Loader {
  public:
    /// What opens it, from the thread; it may throw, and does where the watch says that it is
    /// cancelled.
    using Load = std::function<std::shared_ptr<engines::Network>(const engines::BuildWatch&)>;

    /// Who is told of it, from the thread.
    struct Listener {
        std::function<void(const engines::BuildProgress&)> builds;
        std::function<void(const std::string&)> warns;
        std::function<void(const engines::Network&)> loaded;
        std::function<void(const std::string& fault)> failed;
        std::function<void()> cancelled;
    };

    /// @param beside in a thread of its own; otherwise before this returns. OpenVINO is opened so:
    ///     what it keeps for the thread that first used it is in the way when the process ends
    ///     after the thread
    Loader(Load load, Listener listener, bool beside);

    /// Cancels, and waits for the thread: what is being built ends with its present step.
    ~Loader();

    /// The network; null while it is being opened, where it could not be, and after `interrupt`.
    ///
    /// @param waits until it is opened, or `interrupt` was called
    std::shared_ptr<engines::Network> get(bool waits);

    /// Wait until the network is opened or could not be, or its engine has begun to be built.
    void settle();

    /// Whether it could not be opened; that was told when it was found.
    bool failed() const;

    /// Let nobody wait, or let them again.
    void interrupt(bool on);

  private:
    void run(const Load& load, const Listener& listener);
    engines::BuildWatch watch(const Listener& listener);

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::shared_ptr<engines::Network> network_;
    bool over_ = false, builds_ = false, interrupted_ = false, cancelled_ = false;
    std::thread thread_;  // the last: it uses all the others
};

}  // namespace pamtri::gst
