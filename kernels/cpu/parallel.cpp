// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// A small persistent pool. A thread that calls parallel_for works too, and workers only ever help:
// were they all busy elsewhere, the caller would do everything itself, so nothing can dead-lock.
#include "parallel.hpp"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "processors.hpp"

namespace pamtri {
namespace {

constexpr int kMostThreads = 1024;
std::atomic<int> requested_threads{0};  // 0: as many as there are cores

/// The processors of the affinity mask, as it is now, within what was granted at the start: files
/// are not read for each operation.
int available_cores() {
    static const int most = processor_grant().value_or(kMostThreads);
    cpu_set_t allowed;
    const int cores = sched_getaffinity(0, sizeof(allowed), &allowed) == 0
                          ? CPU_COUNT(&allowed)
                          : static_cast<int>(std::thread::hardware_concurrency());
    return std::max(1, std::min(cores, most));
}

/// One parallel_for: the items are taken a few at a time, by whoever is free.
class Job {
  public:
    Job(std::size_t count, std::size_t grain, const std::function<void(std::size_t)>& body)
        : count_(count), grain_(grain), body_(body) {}

    /// Take items until none is left.
    void work() {
        std::size_t done = 0;
        for (std::size_t begin = next_.fetch_add(grain_); begin < count_;
             begin = next_.fetch_add(grain_)) {
            const std::size_t end = std::min(begin + grain_, count_);
            for (std::size_t i = begin; i < end; ++i) body_(i);
            done += end - begin;
        }
        if (done == 0) return;
        const std::lock_guard<std::mutex> lock(mutex_);
        finished_ += done;
        if (finished_ == count_) all_done_.notify_all();
    }

    /// Wait until every item that somebody took is done.
    void wait() {
        std::unique_lock<std::mutex> lock(mutex_);
        all_done_.wait(lock, [this] { return finished_ == count_; });
    }

  private:
    const std::size_t count_, grain_;
    // The caller's, who waits: alive as long as items are left, and not touched later.
    const std::function<void(std::size_t)>& body_;
    std::atomic<std::size_t> next_{0};
    std::mutex mutex_;
    std::condition_variable all_done_;
    std::size_t finished_ = 0;
};

class Pool {
  public:
    /// Let up to `helpers` workers join a job, starting threads as needed and as the system allows.
    void offer(const std::shared_ptr<Job>& job, std::size_t helpers) {
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            try {
                while (workers_.size() < helpers) workers_.emplace_back([this] { serve(); });
            } catch (const std::system_error&) {
                helpers = workers_.size();
            }
            tickets_.insert(tickets_.end(), helpers, job);
        }
        if (helpers == 1) {
            ticket_added_.notify_one();
        } else {
            ticket_added_.notify_all();
        }
    }

  private:
    [[noreturn]] void serve() {
        for (;;) {
            std::shared_ptr<Job> job;
            {
                std::unique_lock<std::mutex> lock(mutex_);
                ticket_added_.wait(lock, [this] { return !tickets_.empty(); });
                job = std::move(tickets_.front());
                tickets_.pop_front();
            }
            job->work();
        }
    }

    std::mutex mutex_;
    std::condition_variable ticket_added_;
    std::deque<std::shared_ptr<Job>> tickets_;
    std::vector<std::thread> workers_;
};

/// The pool of this process. A fork's child inherits no worker threads, so it gets a pool of its
/// own; pools are never destroyed, since their threads wait in them until the process ends.
Pool& pool() {
    static std::atomic<Pool*> current{new Pool};
    static const int registered = pthread_atfork(nullptr, nullptr, [] { current.store(new Pool); });
    static_cast<void>(registered);
    return *current.load();
}

}  // namespace

int threads() {
    const int requested = requested_threads.load();
    return requested > 0 ? requested : available_cores();
}

void set_threads(int count) { requested_threads.store(std::clamp(count, 0, kMostThreads)); }

void parallel_for(std::size_t count, std::size_t grain,
                  const std::function<void(std::size_t)>& body) {
    const std::size_t pieces = (count + grain - 1) / grain;
    const std::size_t wanted = std::min(static_cast<std::size_t>(threads()), pieces);
    if (wanted <= 1) {
        for (std::size_t i = 0; i < count; ++i) body(i);
        return;
    }
    const auto job = std::make_shared<Job>(count, grain, body);
    pool().offer(job, wanted - 1);
    job->work();
    job->wait();
}

}  // namespace pamtri
