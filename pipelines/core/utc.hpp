// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Moments of the calendar, in UTC.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pamtri::core {

/// Microseconds since 1970.
using Moment = std::int64_t;

/// The moment `seconds` after `start` as ISO 8601 with milliseconds, such as
/// "2026-05-31T08:00:01.250Z"; none where `start` is none, or past an end of the calendar.
std::optional<std::string> utc_text(std::optional<Moment> start, double seconds);

/// Read a date and time such as "2026-05-31T08:00:01.25Z" or with an offset such as "+02:00"; none
/// for text of another form.
std::optional<Moment> moment_of(std::string_view text);

}  // namespace pamtri::core
