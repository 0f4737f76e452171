// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "runner.hpp"

namespace pamtri::gst {

/// A thread that has views embedded while frames go on, a lane for each source of them: what waits
/// in all lanes at a time is one batch for the network. Within a lane order is kept.
class Lanes {
  public:
    using Describe = std::function<std::vector<engines::Answer>(const std::vector<Picture>&)>;

    /// @param describe what embeds views; called from the thread
    /// @param depth batches that wait in a lane at most, the one being embedded left out
    /// @param waits `submit` returns when the batch is done
    Lanes(Describe describe, std::size_t depth, bool waits);
    ~Lanes();

    /// A lane of its own; it goes before this does.
    std::unique_ptr<Runner> lane();

  private:
    struct Queue {
        std::deque<Batch> waiting;
        std::vector<Done> done;
        bool busy = false;
    };
    class Lane;

    void work();
    bool any_waits() const;

    const Describe describe_;
    const std::size_t depth_;
    const bool waits_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::shared_ptr<Queue>> queues_;
    bool ending_ = false;
    std::thread thread_;  // the last: it uses all the others
};

}  // namespace pamtri::gst
