// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "json.hpp"

#include <cstdint>
#include <cstdlib>
#include <utility>

namespace pamtri::core {
namespace {

constexpr int kDeepest = 64;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

void append_utf8(std::string& text, std::uint32_t code) {
    const auto put = [&text](std::uint32_t byte) { text += static_cast<char>(byte); };
    const auto put_rest = [&](int shift) { put(0x80 | ((code >> shift) & 0x3f)); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xc0 | (code >> 6));
        put_rest(0);
    } else if (code < 0x10000) {
        put(0xe0 | (code >> 12));
        put_rest(6);
        put_rest(0);
    } else {
        put(0xf0 | (code >> 18));
        put_rest(12);
        put_rest(6);
        put_rest(0);
    }
}

}  // namespace

class JsonReader {
  public:
    explicit JsonReader(std::string_view text) : text_(text) {}

    Json whole() {
        Json json = value(0);
        space();
        if (at_ < text_.size()) fail("something after the value");
        return json;
    }

  private:
    [[noreturn]] void fail(const std::string& what) const {
        throw JsonError(what + " at byte " + std::to_string(at_));
    }

    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

    bool take(char c) {
        if (peek() != c || at_ >= text_.size()) return false;
        ++at_;
        return true;
    }

    void expect(char c) {
        if (!take(c)) fail(std::string("no '") + c + "'");
    }

    void space() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' ||
                                      text_[at_] == '\r' || text_[at_] == '\t')) {
            ++at_;
        }
    }

    Json value(int depth) {
        if (depth > kDeepest) fail("too many levels");
        space();
        Json json;
        if (take('{')) {
            json.value_ = object(depth);
        } else if (take('[')) {
            json.value_ = list(depth);
        } else if (peek() == '"') {
            json.value_ = string();
        } else if (word("true")) {
            json.value_ = true;
        } else if (word("false")) {
            json.value_ = false;
        } else if (!word("null")) {
            json.value_ = number();
        }
        return json;
    }

    bool word(std::string_view expected) {
        if (text_.substr(at_, expected.size()) != expected) return false;
        at_ += expected.size();
        return true;
    }

    Json::Object object(int depth) {
        Json::Object members;
        space();
        if (take('}')) return members;
        do {
            space();
            if (peek() != '"') fail("no name");
            std::string name = string();
            space();
            expect(':');
            Json member = value(depth + 1);
            if (!members.emplace(name, std::move(member)).second)
                fail("'" + name + "' a second time");
            space();
        } while (take(','));
        expect('}');
        return members;
    }

    Json::List list(int depth) {
        Json::List items;
        space();
        if (take(']')) return items;
        do {
            items.push_back(value(depth + 1));
            space();
        } while (take(','));
        expect(']');
        return items;
    }

    void digits() {
        if (!is_digit(peek())) fail("no value");
        while (is_digit(peek())) ++at_;
    }

    double number() {
        const std::size_t start = at_;
        take('-');
        if (!take('0')) digits();
        if (take('.')) digits();
        if (take('e') || take('E')) {
            if (!take('+')) take('-');
            digits();
        }
        return std::strtod(std::string(text_.substr(start, at_ - start)).c_str(), nullptr);
    }

    std::string string() {
        std::string read;
        expect('"');
        while (!take('"')) {
            if (at_ >= text_.size()) fail("a text without an end");
            const char c = text_[at_++];
            if (static_cast<unsigned char>(c) < 0x20) fail("a control character in a text");
            if (c == '\\') {
                escape(read);
            } else {
                read += c;
            }
        }
        return read;
    }

    void escape(std::string& read) {
        static constexpr std::string_view kFrom = "\"\\/bfnrt";
        static constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
        if (take('u')) {
            append_utf8(read, code_point());
            return;
        }
        const std::size_t which = kFrom.find(peek());
        if (at_ >= text_.size() || which == std::string_view::npos) fail("an unknown escape");
        ++at_;
        read += kTo[which];
    }

    std::uint32_t code_point() {
        const std::uint32_t first = four_digits();
        if (first < 0xd800 || first > 0xdfff) return first;
        if (first > 0xdbff || !take('\\') || !take('u')) fail("half of a pair of surrogates");
        const std::uint32_t second = four_digits();
        if (second < 0xdc00 || second > 0xdfff) fail("half of a pair of surrogates");
        return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
    }

    std::uint32_t four_digits() {
        std::uint32_t code = 0;
        for (int i = 0; i < 4; ++i) {
            const char c = peek();
            const char low = static_cast<char>(c | 0x20);
            if (!is_digit(c) && (low < 'a' || low > 'f')) fail("no hexadecimal digit");
            code = code * 16 + static_cast<std::uint32_t>(is_digit(c) ? c - '0' : low - 'a' + 10);
            ++at_;
        }
        return code;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

Json Json::parse(std::string_view text) { return JsonReader(text).whole(); }

const Json& Json::operator[](const std::string& name) const {
    static const Json kNull;
    const Object* members = object();
    if (members == nullptr) return kNull;
    const auto found = members->find(name);
    return found == members->end() ? kNull : found->second;
}

}  // namespace pamtri::core
