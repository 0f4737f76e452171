// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "fingerprint.hpp"

#include <cstddef>

#include "json_text.hpp"
#include "sha256.hpp"

namespace pamtri::core {
namespace {

constexpr std::size_t kDigits = 20, kShown = 12;

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

std::string shortened(const Fact& fact) { return fact.value_or("None").substr(0, kShown) + "..."; }

}  // namespace

std::string digest_of(const Fingerprint& fingerprint) {
    Json record = Json::object();
    for (const auto& [name, fact] : fingerprint) record[name] = fact ? Json(*fact) : Json();
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
        if (theirs != is->second) clauses.push_back(difference(name, theirs, is->second));
    }
    return clauses;
}

}  // namespace pamtri::core
