// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Events on their way to a file or a broker: what an element or a program calls.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace pamtri::sinks {

/// How payloads look; a file holds JSON as lines, protobuf with a length before each message.
enum class Format { kJson, kProtobuf };

/// How far events are. Numbers are of events since `open`, but for those that an earlier process
/// left.
struct Report {
    std::uint64_t posted = 0;        ///< given to `post`
    std::uint64_t earlier = 0;       ///< found in the spool: posted by an earlier process
    std::uint64_t sent = 0;          ///< handed to the broker, each counted once
    std::uint64_t repeated = 0;      ///< handed to it again, since no acknowledgement came
    std::uint64_t acknowledged = 0;  ///< confirmed by the broker
    std::uint64_t spooled = 0;       ///< waiting in the spool file: a later process sends them
    std::uint64_t held = 0;          ///< waiting in memory alone: lost if this process ends
    std::uint64_t dropped = 0;  ///< given up: no room, refused by the broker, or damaged on disk
    bool connected = false;     ///< as far as is known
    std::string problem;        ///< what is wrong, one sentence without passwords; "" for nothing
};

/// What does not stand in the URI.
struct SinkOptions {
    Format format = Format::kJson;
    std::string spool;  ///< file that keeps what is not acknowledged; "" for memory alone
    /// Called from the sink's thread with each new problem, one sentence without passwords.
    std::function<void(const std::string&)> on_problem;
};

/// A sink: at least once, and in order for each key. A broker that is away stops nothing: events
/// wait, in the spool where there is one, until it is back. Methods may be called from any thread.
class Sink {
  public:
    /// Open a sink: `file:PATH`, `mqtt[s]://[user[:password]@]host[:port]/topic`,
    /// `redis[s]://.../stream`, `kafka[s]://host[:port][,host...]/topic`, each with
    /// `?option=value&...`. The broker need not be there.
    ///
    /// Throws InputError (core/errors.hpp): the URI or an option cannot be used, the client library
    /// was not there when this was built, the spool is in use by another process or is no spool.
    static std::unique_ptr<Sink> open(const std::string& uri, const SinkOptions& options = {});

    virtual ~Sink() = default;

    /// Take an event; never waits for the broker.
    ///
    /// @param key what must stay in order, such as event_key("north", "42")
    /// @param payload the event, encoded as `format` says; JSON without a line end
    virtual void post(const std::string& key, const std::string& payload) = 0;

    /// Wait until all is acknowledged, for at most `deadline`; with what remains safe in a spool
    /// and the broker away, less. Returns whether all is.
    virtual bool flush(std::chrono::milliseconds deadline) = 0;

    virtual Report report() const = 0;

    /// End sending. What was not acknowledged stays in the spool or, without one, is dropped; the
    /// report afterwards says how much. Called by the destructor too.
    virtual void close() = 0;

    /// The URI without passwords.
    virtual const std::string& shown() const = 0;

    /// How long to `flush` when events end: the URI's option `flush`, in seconds.
    virtual std::chrono::milliseconds patience() const = 0;
};

/// The key of a track's events: order is kept for each track of each camera.
std::string event_key(const std::string& camera, const std::string& track);

}  // namespace pamtri::sinks
