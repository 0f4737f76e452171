// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// From the options of a sink to what its parts are told.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "delivery.hpp"
#include "settings.hpp"

namespace pamtri::sinks {

inline SpoolSpec spool_spec(const Settings& settings, const std::string& path) {
    SpoolSpec spec;
    spec.path = path;
    spec.most_bytes = settings.queue_bytes;
    spec.drop_oldest = settings.drop_oldest;
    return spec;
}

inline Policy policy_of(const Settings& settings, std::uint64_t seed) {
    Policy policy;
    policy.window = settings.window;
    policy.timeout = settings.timeout;
    policy.connect_timeout = std::min(policy.connect_timeout, settings.timeout);
    policy.backoff = settings.backoff;
    policy.most_backoff = settings.most_backoff;
    policy.seed = seed;
    return policy;
}

}  // namespace pamtri::sinks
