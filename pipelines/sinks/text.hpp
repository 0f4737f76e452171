// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What messages are made of: secrets hidden, words that were meant, lists.
#pragma once

#include <string>
#include <vector>

namespace pamtri::sinks {

/// What stands for a secret in messages.
inline constexpr const char* kHidden = "***";

/// Whether it is a letter of ASCII or a digit.
bool is_word(char c);

/// A library's text with these secrets hidden, however they are written in it, on one line.
std::string hide(std::string text, const std::vector<std::string>& secrets);

/// The word of `accepted` that `given` was most likely meant to be; "" if it is like none.
std::string nearest(const std::string& given, const std::vector<std::string>& accepted);

/// "a, b or c".
std::string one_of(const std::vector<std::string>& words);

}  // namespace pamtri::sinks
