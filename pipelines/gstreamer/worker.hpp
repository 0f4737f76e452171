// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "runner.hpp"

namespace pamtri::gst {

/// A thread that has batches embedded while frames go on, with a short queue before it.
class Worker : public Runner {
  public:
    using Describe = std::function<std::vector<engines::Answer>(const std::vector<Picture>&)>;

    /// @param describe what embeds crops; called from the thread
    /// @param depth batches that wait at most, the one being embedded left out
    /// @param waits `submit` returns when the batch is done
    Worker(Describe describe, std::size_t depth, bool waits);
    ~Worker() override;

    bool has_room() const override;
    void submit(Batch batch) override;
    std::vector<Done> take() override;
    void wait() override;
    void clear() override;

  private:
    void work();

    const Describe describe_;
    const std::size_t depth_;
    const bool waits_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Batch> queue_;
    std::vector<Done> done_;
    bool busy_ = false, ending_ = false;
    std::thread thread_;  // the last: it uses all the others
};

}  // namespace pamtri::gst
