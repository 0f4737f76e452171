// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// JSON of unknown origin: what JSON alone may hold, in sizes that a computer can hold, as Python's
// pamtri_edge.files.strict_json takes it.
#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

namespace pamtri::core {

/// Members keep the order in which they stand.
using Json = nlohmann::ordered_json;

/// What is wrong with a JSON text, without a full stop.
class JsonError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Read one value and nothing after it.
///
/// Throws JsonError: no JSON, text that is not UTF-8, a name twice in an object, a number that is
/// not finite or has more than 18 digits, half of a surrogate pair, or more than 64 levels.
Json parse_json(std::string_view text);

/// The value as a text without blanks; or a member a line, so many blanks deeper at each level.
std::string written(const Json& value, int indent = -1);

bool is_utf8(std::string_view text);

/// The member of that name; null if this is no object or has none.
const Json& member(const Json& json, const std::string& name);

/// The text that it is, or what stands for anything else.
std::string text_or(const Json& json, const std::string& otherwise);

}  // namespace pamtri::core
