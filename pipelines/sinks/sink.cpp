// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "sink.hpp"

#include <atomic>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "policies.hpp"
#include "transports.hpp"

namespace pamtri::sinks {

namespace {

constexpr Milliseconds kStep{50};

class ThreadedSink final : public Sink {
  public:
    ThreadedSink(const Settings& settings, const SinkOptions& options)
        : settings_(settings),
          on_problem_(options.on_problem),
          delivery_(spool_spec(settings, options.spool), make_transport(settings, options.format),
                    policy_of(settings, std::random_device()()), settings.address.shown,
                    [settings](const std::string& text) { return settings.hide(text); }) {
        thread_ = std::thread([this] { run(); });
    }

    ~ThreadedSink() override { close(); }

    void post(const std::string& key, const std::string& payload) override {
        delivery_.post(key, payload);
    }

    bool flush(Milliseconds deadline) override { return delivery_.flush(deadline); }

    Report report() const override { return delivery_.report(); }

    void close() override {
        const std::lock_guard<std::mutex> lock(closing_);
        if (!thread_.joinable()) return;
        stop_ = true;
        delivery_.wake();
        thread_.join();
        delivery_.close();
        tell();
    }

    const std::string& shown() const override { return settings_.address.shown; }

    Milliseconds patience() const override { return settings_.flush; }

  private:
    void run() {
        while (!stop_) {
            delivery_.step(kStep);
            tell();
        }
    }

    void tell() {
        for (const std::string& problem : delivery_.take_problems()) {
            if (on_problem_) on_problem_(problem);
        }
    }

    const Settings settings_;
    const std::function<void(const std::string&)> on_problem_;
    Delivery delivery_;
    std::atomic<bool> stop_{false};
    std::mutex closing_;
    std::thread thread_;
};

}  // namespace

std::unique_ptr<Sink> Sink::open(const std::string& uri, const SinkOptions& options) {
    return std::make_unique<ThreadedSink>(parse_settings(uri), options);
}

}  // namespace pamtri::sinks
