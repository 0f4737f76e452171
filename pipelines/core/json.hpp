// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pamtri::core {

/// What is wrong with a JSON text and at which byte.
class JsonError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// A JSON value (RFC 8259), read and then only looked at.
class Json {
  public:
    using List = std::vector<Json>;
    using Object = std::map<std::string, Json>;

    /// Read one value and nothing after it.
    ///
    /// Throws JsonError: no JSON, a name twice in an object, or more than 64 levels.
    static Json parse(std::string_view text);

    bool is_null() const { return std::holds_alternative<std::monostate>(value_); }

    /// The value as what it is; nullptr if it is something else.
    const bool* boolean() const { return std::get_if<bool>(&value_); }
    const double* number() const { return std::get_if<double>(&value_); }
    const std::string* text() const { return std::get_if<std::string>(&value_); }
    const List* list() const { return std::get_if<List>(&value_); }
    const Object* object() const { return std::get_if<Object>(&value_); }

    /// The member of that name; a null value if this is no object or has none.
    const Json& operator[](const std::string& name) const;

  private:
    friend class JsonReader;
    std::variant<std::monostate, bool, double, std::string, List, Object> value_;
};

}  // namespace pamtri::core
