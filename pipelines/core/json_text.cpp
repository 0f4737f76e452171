// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "json_text.hpp"

#include <charconv>
#include <cstddef>
#include <cstdlib>

#include "errors.hpp"

namespace pamtri::core {
namespace {

void append_value(std::string& json, const Json& value) {
    if (value.is_object()) {
        json += '{';
        for (auto member = value.begin(); member != value.end(); ++member) {
            if (member != value.begin()) json += ", ";
            append_text(json, member.key(), true);
            json += ": ";
            append_value(json, member.value());
        }
        json += '}';
    } else if (value.is_array()) {
        json += '[';
        for (std::size_t i = 0; i < value.size(); ++i) {
            if (i > 0) json += ", ";
            append_value(json, value[i]);
        }
        json += ']';
    } else if (value.is_string()) {
        append_text(json, value.get_ref<const std::string&>(), true);
    } else if (value.is_number_float()) {
        append_number(json, value.get<double>());
    } else {
        json += written(value);
    }
}

}  // namespace

void append_number(std::string& json, double value) {
    char buffer[32];  // -d.dddddddddddddddde-ddd
    char* end =
        std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
    *end = '\0';
    const std::string_view written(buffer, static_cast<std::size_t>(end - buffer));
    const std::size_t e = written.find('e');
    const int exponent = std::atoi(buffer + e + 1);
    if (exponent < -4 || exponent >= 16) {  // where Python goes over to exponents
        json += written;
        return;
    }
    std::string digits;
    for (const char c : written.substr(0, e))
        if (c >= '0' && c <= '9') digits += c;
    if (written[0] == '-') json += '-';
    if (exponent < 0) {
        json.append("0.").append(static_cast<std::size_t>(-exponent - 1), '0').append(digits);
        return;
    }
    const std::size_t whole = static_cast<std::size_t>(exponent) + 1;
    if (digits.size() <= whole) digits.append(whole + 1 - digits.size(), '0');
    json.append(digits, 0, whole).append(".").append(digits, whole, std::string::npos);
}

void append_text(std::string& json, std::string_view text, bool ascii) {
    try {
        json += Json(text).dump(-1, ' ', ascii);
    } catch (const Json::type_error&) {
        throw InputError("a text of " + std::to_string(text.size()) +
                         " bytes is not UTF-8; expected UTF-8.");
    }
}

std::string python_json(const Json& value) {
    std::string json;
    append_value(json, value);
    return json;
}

}  // namespace pamtri::core
