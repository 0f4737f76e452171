// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Numbers and text as Python's json module writes them, to the byte.
#pragma once

#include <string>
#include <string_view>

#include "json.hpp"

namespace pamtri::core {

/// Append the shortest digits that give the number again, such as 0.1, 12.0 and 1e-05.
/// The number must be finite.
void append_number(std::string& json, double value);

/// Append a text in quotes; `ascii` spells all other characters as \uXXXX.
///
/// Throws InputError: it is not UTF-8.
void append_text(std::string& json, std::string_view text, bool ascii = false);

/// A value on one line with a blank behind each comma and colon: json.dumps(value).
std::string python_json(const Json& value);

}  // namespace pamtri::core
