// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "worker.hpp"

#include <exception>
#include <utility>

namespace pamtri::gst {

Worker::Worker(Describe describe, std::size_t depth, bool waits)
    : describe_(std::move(describe)), depth_(depth), waits_(waits), thread_([this] { work(); }) {}

Worker::~Worker() {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        queue_.clear();
        ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

bool Worker::has_room() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return queue_.size() < depth_;
}

void Worker::submit(Batch batch) {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        queue_.push_back(std::move(batch));
    }
    changed_.notify_all();
    if (waits_) wait();
}

std::vector<Done> Worker::take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(done_, {});
}

void Worker::wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return queue_.empty() && !busy_; });
}

void Worker::clear() {
    std::unique_lock<std::mutex> lock(mutex_);
    queue_.clear();
    changed_.wait(lock, [this] { return !busy_; });
    done_.clear();
}

void Worker::work() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
        changed_.wait(lock, [this] { return ending_ || !queue_.empty(); });
        if (ending_) return;
        Batch batch = std::move(queue_.front());
        queue_.pop_front();
        busy_ = true;
        lock.unlock();
        Done done;
        done.tickets = std::move(batch.tickets);
        try {
            done.answers = describe_(batch.crops);
        } catch (const std::exception& error) {
            done.fault = error.what();
        }
        lock.lock();
        busy_ = false;
        done_.push_back(std::move(done));
        changed_.notify_all();
    }
}

}  // namespace pamtri::gst
