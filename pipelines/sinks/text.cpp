// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "text.hpp"

#include <algorithm>
#include <cstdio>
#include <numeric>

namespace pamtri::sinks {

namespace {

constexpr std::size_t kShortestSecret = 3;  // a shorter one would hide letters of common words

std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (is_word(c) || c == '-' || c == '_' || c == '.' || c == '~') {
            out += c;
        } else {
            char three[4];
            std::snprintf(three, sizeof three, "%%%02X", static_cast<unsigned char>(c));
            out += three;
        }
    }
    return out;
}

}  // namespace

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string hide(std::string text, const std::vector<std::string>& secrets) {
    for (const std::string& secret : secrets) {
        if (secret.size() < kShortestSecret) continue;
        for (const std::string& form : {secret, escaped(secret)}) {
            for (std::size_t at = text.find(form); at != std::string::npos;
                 at = text.find(form, at)) {
                text.replace(at, form.size(), kHidden);
                at += std::char_traits<char>::length(kHidden);
            }
        }
    }
    std::replace_if(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
    while (!text.empty() && (text.back() == ' ' || text.back() == '.')) text.pop_back();
    return text;
}

std::string nearest(const std::string& given, const std::vector<std::string>& accepted) {
    std::string best;
    std::size_t least = 3;  // more than two letters wrong: another word
    for (const std::string& word : accepted) {
        std::vector<std::size_t> row(word.size() + 1);
        std::iota(row.begin(), row.end(), std::size_t{0});
        for (std::size_t i = 1; i <= given.size(); ++i) {
            std::size_t corner = row[0];
            row[0] = i;
            for (std::size_t j = 1; j <= word.size(); ++j) {
                const std::size_t above = row[j];
                row[j] =
                    std::min({row[j] + 1, row[j - 1] + 1, corner + (given[i - 1] != word[j - 1])});
                corner = above;
            }
        }
        if (row.back() < least && row.back() < word.size()) {
            least = row.back();
            best = word;
        }
    }
    return best;
}

std::string one_of(const std::vector<std::string>& words) {
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
        text += words[i];
    }
    return text;
}

}  // namespace pamtri::sinks
