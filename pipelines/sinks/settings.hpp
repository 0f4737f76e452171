// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The options of a sink: of its URI, and of the file that the URI may name; checked, with defaults.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "address.hpp"

namespace pamtri::sinks {

struct Settings {
    Address address;

    // Of every sink.
    std::uint64_t queue_bytes = 256ull << 20;        ///< most that waits, in the spool or in memory
    bool drop_oldest = true;                         ///< who goes when that is full
    int window = 64;                                 ///< events in flight
    std::chrono::milliseconds timeout{30'000};       ///< for an acknowledgement
    std::chrono::milliseconds backoff{500};          ///< after the first failure
    std::chrono::milliseconds most_backoff{30'000};  ///< after many
    std::chrono::milliseconds flush{10'000};         ///< when events end

    // Of brokers.
    std::string ca;  ///< "" for the system's authorities
    std::string certificate;
    std::string key;
    std::string client_id;       // MQTT
    std::uint64_t maxlen = 0;    // Redis: entries kept, about; 0 for all
    int database = 0;            // Redis
    std::string compression;     // Kafka
    std::string sasl = "PLAIN";  // Kafka

    bool sync = false;  // file: through to the disk before an event counts as written

    /// A library's text, fit to be shown.
    std::string hide(const std::string& text) const;
};

/// Read a sink's URI and its options. Throws InputError, which names no password.
Settings parse_settings(const std::string& uri);

}  // namespace pamtri::sinks
