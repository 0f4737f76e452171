// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The fields of an object of JSON, each read once with what it may hold.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "json.hpp"

namespace pamtri::core {

/// Reads an object; a field that is missing, unknown or of another kind is an InputError with its
/// name, what it holds, and what is expected.
class JsonFields {
  public:
    /// @param name of the object, in messages; "" for the outermost
    JsonFields(const Json& json, std::string name);

    std::int64_t integer(const char* field, std::int64_t least, std::int64_t most);
    double number(const char* field, double least, double most);
    bool boolean(const char* field);
    std::string text(const char* field);
    std::string one_of(const char* field, const std::vector<std::string>& choices);

    /// A list of so many whole numbers at least and at most, each in a range.
    std::vector<std::int64_t> integers(const char* field, std::size_t fewest, std::size_t most,
                                       std::int64_t least, std::int64_t largest);

    /// A list of so many numbers, each in a range.
    std::vector<double> numbers(const char* field, std::size_t count, double least, double largest);

    /// Null, and nothing else.
    bool is_null(const char* field) const;

    /// The field as it is, taken as read.
    const Json& any(const char* field);

    /// An object in it.
    JsonFields object(const char* field);

    std::string name_of(const char* field) const;

    /// Throw what says that a field holds something else than expected.
    [[noreturn]] void refuse(const char* field, const std::string& expected) const;

    /// To be called at last: throws InputError if there are fields that were not read.
    void finish() const;

  private:
    const Json& json_;
    std::string name_;
    std::set<std::string> read_;
};

}  // namespace pamtri::core
