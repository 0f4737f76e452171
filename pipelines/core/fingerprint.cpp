// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "fingerprint.hpp"

#include <cstddef>

#include "json_text.hpp"
#include "sha256.hpp"

namespace pamtri::core {
namespace {

constexpr std::size_t kDigits = 20, kShown = 12;
constexpr char kDecimal[] = "0123456789";

/// How messages call the facts, in the order in which they tell them.
constexpr const char* kWords[][2] = {{"onnx", "the network"},
                                     {"library", "TensorRT"},
                                     {"cuda", "CUDA"},
                                     {"compute", "the GPU's architecture"},
                                     {"gpu", "the GPU"},
                                     {"l4t", "the Jetson's L4T"},
                                     {"precision", "the precision"},
                                     {"profiles", "the set of batch profiles"}};

std::string shown(const Fact& fact) { return fact ? "'" + *fact + "'" : "none"; }

/// Whether one version is the other without its last parts, as "10.3.0" is of "10.3.0.26".
bool begins(const std::string& whole, const std::string& part) {
    return whole == part || whole.rfind(part + ".", 0) == 0;
}

/// A version's first parts, so many of them.
std::string begin_of(const std::string& version, int parts) {
    std::size_t end = 0;
    for (int part = 0; part < parts && end != std::string::npos; ++part)
        end = version.find('.', part == 0 ? 0 : end + 1);
    return version.substr(0, end);
}

bool alike(const std::string& name, const Fact& was, const Fact& is) {
    if (was == is) return true;
    if (!was || !is) return false;
    if (name == "library") return begins(*is, *was) || begins(*was, *is);
    return name == "cuda" && begin_of(*was, 1) == begin_of(*is, 1);
}

/// A fact without what makes no difference, or is not always known.
Fact essence(const std::string& name, const Fact& fact) {
    if (fact && name == "library") return begin_of(*fact, 3);
    if (fact && name == "cuda") return begin_of(*fact, 1);
    return fact;
}

std::string shortened(const Fact& fact) { return fact.value_or("None").substr(0, kShown) + "..."; }

}  // namespace

std::string digest_of(const Fingerprint& fingerprint) {
    Json record = Json::object();
    for (const auto& [name, known] : fingerprint) {
        const Fact fact = essence(name, known);
        record[name] = fact ? Json(*fact) : Json();
    }
    const std::string text = python_json(record);
    Sha256 sum;
    sum.update(text.data(), text.size());
    return sum.digits().substr(0, kDigits);
}

std::string difference(const std::string& fact, const Fact& was, const Fact& is) {
    std::string word = fact;
    for (const auto& [name, words] : kWords)
        if (fact == name) word = words;
    if (fact == "onnx")
        return word + " was " + shortened(was) + ", is " + shortened(is) + " (SHA-256)";
    return word + " was " + shown(was) + ", is " + shown(is);
}

std::vector<std::string> differences(const Fingerprint& mine, const Fingerprint& record) {
    std::vector<std::string> clauses;
    for (const auto& [name, words] : kWords) {
        const auto is = mine.find(name);
        if (is == mine.end()) continue;
        const auto was = record.find(name);
        const Fact theirs = was == record.end() ? Fact() : was->second;
        if (!alike(name, theirs, is->second))
            clauses.push_back(difference(name, theirs, is->second));
    }
    return clauses;
}

std::string jetson_release(const std::string& text) {
    // "# R36 (release), REVISION: 4.0, GCID": the digits after R, and those after the mark.
    static const std::string mark = " (release), REVISION: ";
    for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
        const std::string before = text.substr(0, at);
        const std::size_t letter = before.find_last_not_of(kDecimal);
        const std::size_t after = at + mark.size();
        const std::size_t end = text.find_first_not_of(kDecimal + std::string("."), after);
        const std::string revision = text.substr(after, end - after);
        if (letter != std::string::npos && text[letter] == 'R' && letter + 1 < at &&
            !revision.empty())
            return before.substr(letter + 1) + "." + revision;
    }
    if (text.find_first_not_of(" \t\r\n") == std::string::npos) return "unknown";
    return text.substr(0, text.find_first_of("\r\n"));
}

}  // namespace pamtri::core
