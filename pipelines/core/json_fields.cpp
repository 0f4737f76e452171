// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "json_fields.hpp"

#include <algorithm>
#include <utility>

#include "errors.hpp"
#include "json_text.hpp"

namespace pamtri::core {

namespace {

constexpr std::size_t kShownCharacters = 60;  // characters of a value, in a message

bool is_integer(const Json& value, std::int64_t least, std::int64_t most) {
    return value.is_number_integer() && value.get<std::int64_t>() >= least &&
           value.get<std::int64_t>() <= most;
}

bool is_number(const Json& value, double least, double most) {
    return value.is_number() && value.get<double>() >= least && value.get<double>() <= most;
}

std::string range(const std::string& kind, const std::string& least, const std::string& most) {
    return "a " + kind + " from " + least + " to " + most;
}

std::string digits(double value) {
    std::string text;
    append_number(text, value);
    return text;
}

std::string shown(const Json& value) {
    std::string text = python_json(value);
    if (text.size() <= kShownCharacters) return text;
    std::size_t end = kShownCharacters;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    return text.substr(0, end) + "...";
}

}  // namespace

JsonFields::JsonFields(const Json& json, std::string name) : json_(json), name_(std::move(name)) {
    if (!json.is_object())
        throw InputError((name_.empty() ? "it" : name_) + " is " + shown(json) +
                         "; expected an object.");
}

std::string JsonFields::name_of(const char* field) const {
    return name_.empty() ? field : name_ + "." + field;
}

const Json& JsonFields::any(const char* field) {
    const auto found = json_.find(field);
    if (found == json_.end()) throw InputError("it has no field " + name_of(field) + ".");
    read_.insert(field);
    return *found;
}

void JsonFields::refuse(const char* field, const std::string& expected) const {
    throw InputError(name_of(field) + " is " + shown(json_.at(field)) + "; expected " + expected +
                     ".");
}

std::int64_t JsonFields::integer(const char* field, std::int64_t least, std::int64_t most) {
    const Json& value = any(field);
    if (!is_integer(value, least, most))
        refuse(field, range("whole number", std::to_string(least), std::to_string(most)));
    return value.get<std::int64_t>();
}

double JsonFields::number(const char* field, double least, double most) {
    const Json& value = any(field);
    if (!is_number(value, least, most)) refuse(field, range("number", digits(least), digits(most)));
    return value.get<double>();
}

bool JsonFields::boolean(const char* field) {
    const Json& value = any(field);
    if (!value.is_boolean()) refuse(field, "true or false");
    return value.get<bool>();
}

std::string JsonFields::text(const char* field) {
    const Json& value = any(field);
    if (!value.is_string() || value.get_ref<const std::string&>().empty()) refuse(field, "a text");
    return value.get<std::string>();
}

std::string JsonFields::one_of(const char* field, const std::vector<std::string>& choices) {
    const Json& value = any(field);
    std::string listed;
    for (const std::string& choice : choices) {
        if (value.is_string() && value.get_ref<const std::string&>() == choice) return choice;
        listed += (listed.empty() ? "" : ", ") + choice;
    }
    refuse(field, "one of " + listed);
}

std::vector<std::int64_t> JsonFields::integers(const char* field, std::size_t fewest,
                                               std::size_t most, std::int64_t least,
                                               std::int64_t largest) {
    const Json& value = any(field);
    const auto fits = [&](const Json& one) { return is_integer(one, least, largest); };
    if (!value.is_array() || value.size() < fewest || value.size() > most ||
        !std::all_of(value.begin(), value.end(), fits))
        refuse(field, "a list of " + std::to_string(fewest) +
                          (most == fewest ? "" : " to " + std::to_string(most)) +
                          " whole numbers from " + std::to_string(least) + " to " +
                          std::to_string(largest));
    return value.get<std::vector<std::int64_t>>();
}

std::vector<double> JsonFields::numbers(const char* field, std::size_t count, double least,
                                        double largest) {
    const Json& value = any(field);
    const auto fits = [&](const Json& one) { return is_number(one, least, largest); };
    if (!value.is_array() || value.size() != count ||
        !std::all_of(value.begin(), value.end(), fits))
        refuse(field, "a list of " + std::to_string(count) + " numbers from " + digits(least) +
                          " to " + digits(largest));
    return value.get<std::vector<double>>();
}

bool JsonFields::is_null(const char* field) const {
    const auto found = json_.find(field);
    return found != json_.end() && found->is_null();
}

JsonFields JsonFields::object(const char* field) { return {any(field), name_of(field)}; }

void JsonFields::finish() const {
    for (const auto& [field, value] : json_.items())
        if (read_.count(field) == 0)
            throw InputError("it has a field " + name_of(field.c_str()) +
                             ", which is not known here.");
}

}  // namespace pamtri::core
