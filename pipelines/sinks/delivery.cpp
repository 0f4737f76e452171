// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "delivery.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace pamtri::sinks {

namespace {

constexpr int kLookahead = 1024;          // waiting events looked at for one whose key is free
constexpr Milliseconds kSyncEvery{1000};  // what a power cut may take
constexpr Milliseconds kLookEvery{100};   // how soon Ctrl-C ends a wait

std::string waiting(std::uint64_t count, bool on_disk) {
    if (count == 0) return "";
    return "; " + std::to_string(count) + (count == 1 ? " event waits" : " events wait") +
           (on_disk ? " in the spool" : "");
}

}  // namespace

std::string event_key(const std::string& camera, const std::string& track) {
    return camera + "/" + track;
}

Delivery::Delivery(const SpoolSpec& spool, std::shared_ptr<Transport> transport,
                   const Policy& policy, std::string shown,
                   std::function<std::string(const std::string&)> hide,
                   std::shared_ptr<const Clock> clock)
    : transport_(std::move(transport)),
      policy_(policy),
      shown_(std::move(shown)),
      hide_(std::move(hide)),
      clock_(std::move(clock)),
      spool_(spool),
      random_(policy.seed) {
    counts_.earlier = spool_.earlier();
}

void Delivery::post(const std::string& key, const std::string& payload) {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++counts_.posted;
    if (closed_) {
        ++counts_.dropped;
        return;
    }
    const std::uint64_t dropped = spool_.dropped();
    spool_.append(key, payload);
    if (!spool_.problem().empty()) tell("spool", spool_.problem() + ".");
    if (spool_.dropped() > dropped) {
        tell("full", "there is no room for more events until " + shown_ +
                         " takes some: some are dropped (options queue and full).");
    }
    woken_ = true;
    changed_.notify_all();
}

void Delivery::wake() {
    const std::lock_guard<std::mutex> lock(mutex_);
    woken_ = true;
    changed_.notify_all();
}

void Delivery::step(Milliseconds wait) {
    if (closed_) return;
    if (clock_->now() >= next_sync_) {
        spool_.sync();  // without the lock: nobody who posts waits for the disk
        next_sync_ = clock_->now() + kSyncEvery;
    }
    if (!connected_ && !connect_if_due(wait)) return;
    try {
        release_retries();
        send_waiting();
        if (flights_.empty()) {
            pause(wait);
            take(transport_->poll(Milliseconds(0)));
        } else {
            take(transport_->poll(wait));
        }
        check_timeouts();
    } catch (const TransportError& error) {
        lose_connection(error.what(), error.refused);
    } catch (const std::exception& error) {
        lose_connection(error.what(), true);
    }
}

bool Delivery::connect_if_due(Milliseconds wait) {
    const Milliseconds now = clock_->now();
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (hurry_) next_try_ = now;
        hurry_ = false;
    }
    if (now < next_try_) {
        pause(std::min(wait, next_try_ - now));
        return false;
    }
    try {
        transport_->connect(policy_.connect_timeout);
    } catch (const TransportError& error) {
        lose_connection(error.what(), error.refused);
        return false;
    } catch (const std::exception& error) {
        lose_connection(error.what(), true);
        return false;
    }
    connected_ = true;
    const std::lock_guard<std::mutex> lock(mutex_);
    counts_.connected = true;
    changed_.notify_all();
    return true;
}

void Delivery::send_waiting() {
    std::vector<Message> batch;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        std::vector<Id> chosen;
        const auto room = static_cast<std::size_t>(policy_.window) - flights_.size();
        int looked = 0;
        for (const Id id : spool_.waiting()) {
            if (chosen.size() == room || ++looked > kLookahead) break;
            if (busy_.insert(spool_.key(id)).second) chosen.push_back(id);
        }
        const Milliseconds now = clock_->now();
        for (const Id id : chosen) {
            const std::string key = spool_.key(id);
            std::optional<Message> message = spool_.take(id);
            if (!message) {
                busy_.erase(key);
                continue;
            }
            flights_.emplace(id, Flight{key, now});
            ++(sent_once_.insert(id).second ? counts_.sent : counts_.repeated);
            batch.push_back(std::move(*message));
        }
    }
    if (!batch.empty()) transport_->send(batch);
}

void Delivery::take(const std::vector<Outcome>& outcomes) {
    if (outcomes.empty()) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const Outcome& outcome : outcomes) {
        const auto flight = flights_.find(outcome.id);
        if (flight == flights_.end()) continue;  // a second word on it
        const std::string key = flight->second.key;
        flights_.erase(flight);
        if (outcome.verdict == Verdict::kFailed) {
            spool_.put_back(outcome.id);
            retries_.emplace(clock_->now() + backoff_after(++attempts_[outcome.id]), key);
            problem_ =
                shown_ + " did not take an event: " + hide_(outcome.why) + "; it is sent again.";
            tell("failed " + outcome.why, problem_);
            continue;  // its key stays busy: nothing overtakes it
        }
        busy_.erase(key);
        attempts_.erase(outcome.id);
        sent_once_.erase(outcome.id);
        if (outcome.verdict == Verdict::kAcknowledged) {
            spool_.done(outcome.id);
            ++counts_.acknowledged;
            failed_tries_ = 0;
            told_.erase("connection");
            if (retries_.empty()) problem_.clear();
        } else {
            spool_.drop(outcome.id);
            problem_ = shown_ + " rejected an event, which is dropped: " + hide_(outcome.why) + ".";
            tell("rejected " + outcome.why, problem_);
        }
    }
    changed_.notify_all();
}

void Delivery::check_timeouts() {
    const Milliseconds now = clock_->now();
    const bool late = std::any_of(flights_.begin(), flights_.end(), [&](const auto& one) {
        return now - one.second.since >= policy_.timeout;
    });
    if (late) {
        lose_connection(
            "no acknowledgement within " + std::to_string(policy_.timeout.count()) + " ms", false);
    }
}

void Delivery::release_retries() {
    const auto due = retries_.upper_bound(clock_->now());
    for (auto one = retries_.begin(); one != due; ++one) busy_.erase(one->second);
    retries_.erase(retries_.begin(), due);
}

void Delivery::lose_connection(const std::string& why, bool refused) {
    transport_->close();
    connected_ = false;
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& [id, flight] : flights_) {
        if (!spool_.put_back(id)) sent_once_.erase(id);  // it was dropped meanwhile
    }
    flights_.clear();
    retries_.clear();
    attempts_.clear();
    busy_.clear();
    next_try_ = clock_->now() + backoff_after(++failed_tries_);
    ++failures_;
    refused_ = refused;
    counts_.connected = false;
    const std::string problem =
        shown_ + (refused ? " refused us: " : " cannot be reached: ") + hide_(why);
    problem_ = problem + ".";
    tell("connection", problem + waiting(spool_.size(), spool_.on_disk() > 0) + ".");
    changed_.notify_all();
}

Milliseconds Delivery::backoff_after(int failures) {
    const int doublings = std::min(failures - 1, 30);
    const auto longest = std::min<std::int64_t>(
        policy_.most_backoff.count(), policy_.backoff.count() * (std::int64_t{1} << doublings));
    const double part = 0.5 + 0.5 * std::uniform_real_distribution<double>()(random_);
    return Milliseconds(static_cast<std::int64_t>(static_cast<double>(longest) * part));
}

void Delivery::pause(Milliseconds wait) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait_for(lock, wait, [&] { return woken_; });
    woken_ = false;
}

void Delivery::tell(const std::string& kind, const std::string& problem) {
    if (told_.insert(kind).second) problems_.push_back(problem);
}

std::vector<std::string> Delivery::take_problems() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(problems_, {});
}

bool Delivery::flush(Milliseconds deadline, const std::function<void()>& look) {
    std::unique_lock<std::mutex> lock(mutex_);
    const std::uint64_t failures = failures_;
    hurry_ = woken_ = true;
    changed_.notify_all();
    const auto over = [&] {
        const bool failed = failures_ > failures && !counts_.connected;
        return spool_.size() == 0 || closed_ || (failed && (refused_ || spool_.in_memory() == 0));
    };
    const auto end = std::chrono::steady_clock::now() + deadline;
    while (!changed_.wait_until(lock, std::min(end, std::chrono::steady_clock::now() + kLookEvery),
                                over)) {
        if (std::chrono::steady_clock::now() >= end) break;
        if (!look) continue;
        lock.unlock();
        look();
        lock.lock();
    }
    return spool_.size() == 0;
}

void Delivery::close() {
    transport_->close();
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return;
    connected_ = false;
    counts_.connected = false;
    closed_ = true;
    for (const auto& [id, flight] : flights_) spool_.put_back(id);
    flights_.clear();
    spool_.close();
    changed_.notify_all();
}

Report Delivery::report() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    Report report = counts_;
    report.spooled = spool_.on_disk();
    report.held = closed_ ? 0 : spool_.in_memory();
    report.dropped += spool_.dropped() + (closed_ ? spool_.in_memory() : 0);
    report.problem = spool_.problem().empty() ? problem_ : spool_.problem() + ".";
    return report;
}

}  // namespace pamtri::sinks
