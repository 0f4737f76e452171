// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The policy of sending: what goes out when, and what follows from what the broker says of it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "clock.hpp"
#include "sink.hpp"
#include "spool.hpp"
#include "transport.hpp"

namespace pamtri::sinks {

/// How events are sent.
struct Policy {
    int window = 64;               ///< events in flight
    Milliseconds timeout{30'000};  ///< for an acknowledgement; then the connection is made anew
    Milliseconds connect_timeout{5'000};  ///< for the broker to answer
    Milliseconds backoff{500};  ///< before the first repetition; doubled with each that fails
    Milliseconds most_backoff{30'000};
    std::uint64_t seed = 0;  ///< of the jitter, which takes up to half off each wait
};

/// Sends what a spool holds through a transport, at least once, and in order for each key: of a key
/// one event at a time is in flight, so that neither a failed event nor acknowledgements in any
/// order let a later one pass an earlier one.
///
/// `post`, `report` and `await` may be called from any thread, `step` and `close` from one.
class Delivery {
  public:
    /// @param shown what problems call the broker
    /// @param hide makes a transport's text fit to be shown
    Delivery(const SpoolSpec& spool, std::shared_ptr<Transport> transport, const Policy& policy,
             std::string shown, std::function<std::string(const std::string&)> hide,
             std::shared_ptr<const Clock> clock = std::make_shared<Clock>());

    void post(const std::string& key, const std::string& payload);

    /// Do what is due: connect, send, take outcomes. Waits at most `wait` for something to happen.
    void step(Milliseconds wait);

    /// Wait in another thread than `step`'s until all is done, for at most `deadline`: less if the
    /// broker has just failed and what remains is safe in the spool. Returns whether all is done.
    ///
    /// @param look called now and then, without a lock held; what it throws ends the waiting.
    bool flush(Milliseconds deadline, const std::function<void()>& look = {});

    /// End: what is in flight is not waited for. Only `report` is of use after this.
    void close();

    /// Wake a `step` that waits.
    void wake();

    Report report() const;

    /// Problems since the last call: each once, and again when it comes back. Sentences without
    /// passwords.
    std::vector<std::string> take_problems();

  private:
    struct Flight {
        std::string key;
        Milliseconds since;
    };

    bool connect_if_due(Milliseconds wait);
    void send_waiting();
    void take(const std::vector<Outcome>& outcomes);
    void check_timeouts();
    void release_retries();
    void lose_connection(const std::string& why, bool refused);
    Milliseconds backoff_after(int failures);
    void pause(Milliseconds wait);
    void tell(const std::string& kind, const std::string& problem);

    const std::shared_ptr<Transport> transport_;
    const Policy policy_;
    const std::string shown_;
    const std::function<std::string(const std::string&)> hide_;
    const std::shared_ptr<const Clock> clock_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    Spool spool_;
    Report counts_;
    std::string problem_;                ///< of the broker
    std::vector<std::string> problems_;  ///< to be told
    std::set<std::string> told_;         ///< kinds of problems that are known
    bool woken_ = false;
    bool hurry_ = false;          ///< try to connect at once
    std::uint64_t failures_ = 0;  ///< connections lost or not made, ever
    bool refused_ = false;        ///< the last of them by the broker's word
    bool closed_ = false;

    // Of the stepping thread.
    bool connected_ = false;
    Milliseconds next_try_{0};
    Milliseconds next_sync_{0};
    int failed_tries_ = 0;
    std::unordered_map<Id, Flight> flights_;
    std::unordered_set<std::string>
        busy_;  ///< keys of which an event is in flight or waits to be repeated
    std::unordered_map<Id, int> attempts_;              ///< of events that failed by themselves
    std::multimap<Milliseconds, std::string> retries_;  ///< when a key is free again
    std::set<Id> sent_once_;                            ///< sent and not yet acknowledged
    std::mt19937_64 random_;
};

}  // namespace pamtri::sinks
