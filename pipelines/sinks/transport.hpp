// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What carries events: one thin class for each kind of broker.
#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace pamtri::sinks {

using Id = std::uint64_t;
using Milliseconds = std::chrono::milliseconds;

struct Message {
    Id id = 0;
    std::string key;
    std::string payload;
};

enum class Verdict {
    kAcknowledged,  ///< the broker has it
    kFailed,        ///< not this time: to be sent again
    kRejected,      ///< never: too large, or not allowed
};

struct Outcome {
    Id id = 0;
    Verdict verdict = Verdict::kAcknowledged;
    std::string why;  ///< of a failure
};

/// The connection failed, or could not be made. What was sent and not yet answered is sent again.
class TransportError : public std::runtime_error {
  public:
    explicit TransportError(const std::string& why, bool refused = false)
        : std::runtime_error(why), refused(refused) {}
    bool refused;  ///< the broker is there and does not let us in: waiting will hardly help
};

/// A connection that can be made again and again. One thread at a time calls it. It sends each
/// message once for each `send`, repeats nothing by itself, and keeps no order: `Delivery` does.
class Transport {
  public:
    virtual ~Transport() = default;

    /// Connect, waiting at most `wait`. Throws TransportError.
    virtual void connect(Milliseconds wait) = 0;

    /// Hand messages over; their outcomes come from `poll`, in any order. Throws TransportError.
    virtual void send(const std::vector<Message>& messages) = 0;

    /// The outcomes that are there; waits at most `wait` for the first. Throws TransportError.
    virtual std::vector<Outcome> poll(Milliseconds wait) = 0;

    /// Let go of the connection: no outcome of what was sent comes after this. Never throws.
    virtual void close() noexcept = 0;
};

}  // namespace pamtri::sinks
