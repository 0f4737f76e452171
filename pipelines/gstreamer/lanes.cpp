// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "lanes.hpp"

#include <algorithm>
#include <exception>
#include <iterator>
#include <string>
#include <utility>

namespace pamtri::gst {

class Lanes::Lane final : public Runner {
  public:
    Lane(Lanes& all, std::shared_ptr<Queue> queue) : all_(all), queue_(std::move(queue)) {}

    ~Lane() override {
        clear();
        const std::lock_guard<std::mutex> lock(all_.mutex_);
        auto& queues = all_.queues_;
        queues.erase(std::remove(queues.begin(), queues.end(), queue_), queues.end());
    }

    bool has_room() const override {
        const std::lock_guard<std::mutex> lock(all_.mutex_);
        return queue_->waiting.size() < all_.depth_;
    }

    void submit(Batch batch) override {
        {
            const std::lock_guard<std::mutex> lock(all_.mutex_);
            queue_->waiting.push_back(std::move(batch));
        }
        all_.changed_.notify_all();
        if (all_.waits_) wait();
    }

    std::vector<Done> take() override {
        const std::lock_guard<std::mutex> lock(all_.mutex_);
        return std::exchange(queue_->done, {});
    }

    void wait() override {
        std::unique_lock<std::mutex> lock(all_.mutex_);
        all_.changed_.wait(lock, [this] { return queue_->waiting.empty() && !queue_->busy; });
    }

    void clear() override {
        std::unique_lock<std::mutex> lock(all_.mutex_);
        queue_->waiting.clear();
        all_.changed_.wait(lock, [this] { return !queue_->busy; });
        queue_->done.clear();
    }

  private:
    Lanes& all_;
    const std::shared_ptr<Queue> queue_;
};

Lanes::Lanes(Describe describe, std::size_t depth, bool waits)
    : describe_(std::move(describe)), depth_(depth), waits_(waits), thread_([this] { work(); }) {}

Lanes::~Lanes() {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

std::unique_ptr<Runner> Lanes::lane() {
    auto queue = std::make_shared<Queue>();
    const std::lock_guard<std::mutex> lock(mutex_);
    queues_.push_back(queue);
    return std::make_unique<Lane>(*this, std::move(queue));
}

bool Lanes::any_waits() const {
    return std::any_of(queues_.begin(), queues_.end(),
                       [](const auto& queue) { return !queue->waiting.empty(); });
}

void Lanes::work() {
    struct Part {
        std::shared_ptr<Queue> queue;
        std::vector<core::Ticket> tickets;
    };
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
        changed_.wait(lock, [this] { return ending_ || any_waits(); });
        if (ending_) return;
        std::vector<Part> parts;
        std::vector<Picture> pictures;
        for (const std::shared_ptr<Queue>& queue : queues_) {
            if (queue->waiting.empty()) continue;
            Batch batch = std::move(queue->waiting.front());
            queue->waiting.pop_front();
            queue->busy = true;
            parts.push_back({queue, std::move(batch.tickets)});
            std::move(batch.crops.begin(), batch.crops.end(), std::back_inserter(pictures));
        }
        lock.unlock();
        std::vector<engines::Answer> answers;
        std::string fault;
        try {
            answers = describe_(pictures);
        } catch (const std::exception& error) {
            fault = error.what();
        }
        pictures.clear();
        lock.lock();
        auto next = answers.begin();
        for (Part& part : parts) {
            Done done;
            done.fault = fault;
            if (fault.empty()) {
                const auto end = next + static_cast<std::ptrdiff_t>(part.tickets.size());
                done.answers.assign(std::make_move_iterator(next), std::make_move_iterator(end));
                next = end;
            }
            done.tickets = std::move(part.tickets);
            part.queue->busy = false;
            part.queue->done.push_back(std::move(done));
        }
        changed_.notify_all();
    }
}

}  // namespace pamtri::gst
