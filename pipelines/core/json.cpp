// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "json.hpp"

#include <cstddef>
#include <cstdint>
#include <unordered_set>
#include <utility>
#include <vector>

namespace pamtri::core {
namespace {

constexpr std::size_t kDeepest = 64;
constexpr std::size_t kNumberDigits = 18;  // every such number fits 64 bits
constexpr int kOverflow = 406;             // the library's number for it

std::string shortened(const std::string& digits) {
    return digits.size() <= 12 ? digits : digits.substr(0, 12) + "...";
}

/// The first 40 characters of a text in UTF-8.
std::string beginning(const std::string& text) {
    std::size_t end = 0;
    for (int left = 40; end < text.size(); ++end) {
        const bool starts = (static_cast<unsigned char>(text[end]) & 0xc0) != 0x80;
        if (starts && left-- == 0) break;
    }
    return text.substr(0, end);
}

[[noreturn]] void too_long(const std::string& digits) {
    throw JsonError("the number " + shortened(digits) + " has more than " +
                    std::to_string(kNumberDigits) + " digits");
}

/// Builds the value as the parser tells of its parts, and refuses what JSON permits and we do not.
class Builder final : public nlohmann::json_sax<Json> {
  public:
    Json take() { return std::move(root_); }

    bool null() override { return add(nullptr); }
    bool boolean(bool value) override { return add(value); }

    bool number_integer(number_integer_t value) override {
        const std::string digits = std::to_string(value);
        if (digits.size() - (value < 0) > kNumberDigits) too_long(digits);
        return add(value);
    }

    bool number_unsigned(number_unsigned_t value) override {
        const std::string digits = std::to_string(value);
        if (digits.size() > kNumberDigits) too_long(digits);
        return add(value);
    }

    bool number_float(number_float_t value, const string_t& digits) override {
        // A whole number beyond 64 bits comes here too.
        if (digits.find_first_of(".eE") == std::string::npos) too_long(digits);
        return add(value);
    }

    bool string(string_t& value) override { return add(std::move(value)); }
    bool binary(binary_t&) override { return false; }  // JSON has none

    bool start_object(std::size_t) override { return open(Json::object()); }
    bool start_array(std::size_t) override { return open(Json::array()); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }

    bool key(string_t& name) override {
        if (!levels_.back().names.insert(name).second)
            throw JsonError("the key '" + beginning(name) + "' occurs more than once in an object");
        levels_.back().name = std::move(name);
        return true;
    }

    bool parse_error(std::size_t at, const std::string& token,
                     const nlohmann::detail::exception& error) override {
        const std::string what = error.what();
        if (error.id == kOverflow) {
            // Digits alone are a whole number, however large.
            if (token.find_first_of(".eE") == std::string::npos) too_long(token);
            throw JsonError("the number " + shortened(token) + " is too large");
        }
        if (what.find("surrogate") != std::string::npos)
            throw JsonError("a string holds half of a surrogate pair, which is no character");
        const char* found =
            what.find("UTF-8") != std::string::npos ? "text that is not UTF-8" : "what is no JSON";
        throw JsonError(std::string(found) + " at byte " + std::to_string(at));
    }

  private:
    struct Level {
        Json value;
        std::string name;                       // of the member that comes
        std::unordered_set<std::string> names;  // of the members that came
    };

    bool open(Json empty) {
        if (levels_.size() > kDeepest) throw JsonError("it is nested too deep");
        levels_.push_back({std::move(empty), {}, {}});
        return true;
    }

    bool close() {
        Json value = std::move(levels_.back().value);
        levels_.pop_back();
        return add(std::move(value));
    }

    bool add(Json value) {
        if (levels_.empty()) {
            root_ = std::move(value);
            return true;
        }
        Level& level = levels_.back();
        if (level.value.is_array()) {
            level.value.push_back(std::move(value));
        } else {  // at the end, without looking for the name once more: `key` did
            level.value.get_ref<Json::object_t&>().push_back(
                {std::move(level.name), std::move(value)});
        }
        return true;
    }

    Json root_;
    std::vector<Level> levels_;
};

}  // namespace

Json parse_json(std::string_view text) {
    // The library takes a zero byte for the end, and leaves out a mark of byte order.
    if (const std::size_t at = text.find('\0'); at != std::string_view::npos)
        throw JsonError("what is no JSON at byte " + std::to_string(at + 1));
    if (text.substr(0, 3) == "\xef\xbb\xbf") throw JsonError("a mark of byte order at byte 1");
    Builder builder;
    Json::sax_parse(text.begin(), text.end(), &builder);
    return builder.take();
}

std::string written(const Json& value, int indent) { return value.dump(indent); }

bool is_utf8(std::string_view text) {
    try {
        Json(text).dump();  // refuses what is not
        return true;
    } catch (const Json::type_error&) {
        return false;
    }
}

const Json& member(const Json& json, const std::string& name) {
    static const Json kNull;
    if (!json.is_object()) return kNull;
    const auto found = json.find(name);
    return found == json.end() ? kNull : *found;
}

std::string text_or(const Json& json, const std::string& otherwise) {
    return json.is_string() ? json.get_ref<const std::string&>() : otherwise;
}

}  // namespace pamtri::core
