// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "words.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <iterator>

namespace pamtri::engines {
namespace {

struct Range {
    std::uint32_t first, last;
};

/// Controls, blanks that are none of ASCII's, marks that change the direction of writing, what is
/// for private use, and what is no character.
constexpr Range kUnseen[] = {
    {0x0, 0x1f},      {0x7f, 0xa0},     {0xad, 0xad},     {0x600, 0x605},     {0x61c, 0x61c},
    {0x6dd, 0x6dd},   {0x70f, 0x70f},   {0x1680, 0x1680}, {0x180e, 0x180e},   {0x2000, 0x200f},
    {0x2028, 0x202f}, {0x205f, 0x206f}, {0x3000, 0x3000}, {0xd800, 0xf8ff},   {0xfdd0, 0xfdef},
    {0xfeff, 0xfeff}, {0xfff0, 0xfffb}, {0xfffe, 0xffff}, {0xe0000, 0xfffff}, {0x100000, 0x1fffff},
};

/// The character that begins at `at`, which is moved behind it; the text is UTF-8.
std::uint32_t next_character(std::string_view text, std::size_t& at) {
    const auto lead = static_cast<unsigned char>(text[at++]);
    int rest = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
    std::uint32_t code = rest == 0 ? lead : lead & (0x3fu >> rest);
    for (; rest > 0 && at < text.size(); --rest)
        code = code << 6 | (static_cast<unsigned char>(text[at++]) & 0x3f);
    return code;
}

bool is_seen(std::uint32_t code) {
    return std::none_of(std::begin(kUnseen), std::end(kUnseen), [code](const Range& range) {
        return code >= range.first && code <= range.last;
    });
}

}  // namespace

std::string in_quotes(std::string_view text) {
    const bool apostrophe = text.find('\'') != std::string_view::npos;
    const char quote = apostrophe && text.find('"') == std::string_view::npos ? '"' : '\'';
    std::string shown(1, quote);
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t start = at;
        const std::uint32_t code = next_character(text, at);
        char spelled[16];
        if (code == '\\' || code == static_cast<unsigned char>(quote)) {
            shown += '\\';
            shown += static_cast<char>(code);
        } else if (code == '\n' || code == '\r' || code == '\t') {
            shown += code == '\n' ? "\\n" : code == '\r' ? "\\r" : "\\t";
        } else if (is_seen(code)) {
            shown += text.substr(start, at - start);
        } else {
            const char* format = code < 0x100 ? "\\x%02x" : code < 0x10000 ? "\\u%04x" : "\\U%08x";
            std::snprintf(spelled, sizeof spelled, format, static_cast<unsigned>(code));
            shown += spelled;
        }
    }
    return shown + quote;
}

std::string quoted_list(const std::vector<std::string>& texts) {
    std::string list;
    for (const std::string& text : texts) list += (list.empty() ? "" : ", ") + in_quotes(text);
    return list;
}

std::string shown_shape(const std::vector<Size>& shape) {
    std::string sizes;
    for (const Size& size : shape)
        sizes += (sizes.empty() ? "" : ", ") + (size ? std::to_string(*size) : "None");
    return "(" + sizes + (shape.size() == 1 ? ",)" : ")");
}

std::string shown_items(const std::vector<std::int64_t>& item) {
    std::string sizes = "('N'";
    for (const std::int64_t size : item) sizes += ", " + std::to_string(size);
    return sizes + (item.empty() ? ",)" : ")");
}

bool is_printable(std::string_view text) {
    for (std::size_t at = 0; at < text.size();)
        if (!is_seen(next_character(text, at))) return false;
    return true;
}

std::string formatted(const char* format, double value) {
    char text[64];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

}  // namespace pamtri::engines
