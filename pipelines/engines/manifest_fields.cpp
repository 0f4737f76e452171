// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "manifest_fields.hpp"

#include <algorithm>
#include <cstddef>

#include "bundle_files.hpp"
#include "json_text.hpp"
#include "words.hpp"

namespace pamtri::engines::fields {
namespace {

using core::member;

constexpr std::int64_t kLargestSize = 1 << 16;
constexpr std::size_t kMostFiles = 256;
constexpr const char* kFlags[] = {"keypoints", "heatmaps", "segments", "multitask", "pose"};

struct Metric {
    const char* name;
    double least, most;
    std::optional<double> Tolerance::* limit;
};
constexpr Metric kMetrics[] = {{"cosine", 0.5, 1.0, &Tolerance::cosine},
                               {"max_abs", 0.0, 1.0, &Tolerance::max_abs},
                               {"share", 0.5, 1.0, &Tolerance::share}};

const std::string& text_of(const Json& value) { return value.get_ref<const std::string&>(); }

bool between(const Json& value, double least, double most) {
    return value.is_number() && value.get<double>() >= least && value.get<double>() <= most;
}

bool all_text(const Json& value) {
    return value.is_array() &&
           std::all_of(value.begin(), value.end(), [](const Json& one) { return one.is_string(); });
}

/// Whether a relative path, taken as it is written, stays inside its folder.
bool is_inside(const std::string& path) {
    const std::string tidied = tidy(path);
    const bool up = ("/" + tidied + "/").find("/../") != std::string::npos;
    const std::string first = tidied.substr(0, tidied.find('/'));
    return tidied != "." && path.substr(0, 1) != "/" && !up &&
           path.find('\\') == std::string::npos && is_printable(path) &&
           first.find(':') == std::string::npos;
}

bool is_digest(const Json& value) {
    const auto hexadecimal = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    };
    return value.is_string() && text_of(value).size() == 64 &&
           std::all_of(text_of(value).begin(), text_of(value).end(), hexadecimal);
}

}  // namespace

std::string printable(const Json& value) {
    if (!value.is_string() || text_of(value).empty() || !is_printable(text_of(value)))
        throw Wrong{"a text of printable characters"};
    return text_of(value);
}

std::int64_t integer(const Json& value) {
    if (!value.is_number_integer()) throw Wrong{"a whole number"};
    return value.get<std::int64_t>();
}

std::int64_t size(const Json& value) {
    const std::int64_t found = integer(value);
    if (found < 1 || found > kLargestSize)
        throw Wrong{"a whole number from 1 to " + std::to_string(kLargestSize)};
    return found;
}

bool boolean(const Json& value) {
    if (!value.is_boolean()) throw Wrong{"true or false"};
    return value.get<bool>();
}

void mapping(const Json& value) {
    if (!value.is_object()) throw Wrong{"an object"};
}

std::string one_of(const Json& value, const std::vector<std::string>& choices) {
    const bool known = value.is_string() &&
                       std::find(choices.begin(), choices.end(), text_of(value)) != choices.end();
    if (!known) throw Wrong{"one of " + quoted_list(choices)};
    return text_of(value);
}

std::optional<std::vector<std::string>> optional_names(const Json& value) {
    if (value.is_null()) return {};
    const auto seen = [](const Json& name) { return is_printable(text_of(name)); };
    if (!all_text(value) || value.empty() || !std::all_of(value.begin(), value.end(), seen))
        throw Wrong{"a list of names of printable characters, or null"};
    return value.get<std::vector<std::string>>();
}

std::map<std::string, bool> variant(const Json& value) {
    std::map<std::string, bool> flags;
    for (const char* flag : kFlags) {
        if (!member(value, flag).is_boolean())
            throw Wrong{
                "an object with true or false for each of keypoints, heatmaps, segments, "
                "multitask, pose"};
        flags[flag] = member(value, flag).get<bool>();
    }
    return flags;
}

std::vector<TensorSpec> tensors(const Json& value) {
    const std::string size_words = std::to_string(kLargestSize);
    const Wrong wrong{
        "a list of {\"name\", \"shape\", \"dtype\"}, shapes with null for the batch and sizes of 1 "
        "to " +
        size_words + " behind it, dtype \"float32\""};
    if (!value.is_array() || value.empty()) throw Wrong(wrong);
    std::vector<TensorSpec> specs;
    for (const Json& item : value) {
        const Json& shape = member(item, "shape");
        if (!member(item, "name").is_string() || !shape.is_array() || shape.empty() ||
            !shape[0].is_null() || core::text_or(member(item, "dtype"), "") != "float32")
            throw Wrong(wrong);
        TensorSpec spec{text_of(member(item, "name")), ElementType::kFloat32, {}};
        try {
            for (std::size_t side = 1; side < shape.size(); ++side)
                spec.item.push_back(size(shape[side]));
        } catch (const Wrong&) {
            throw Wrong(wrong);
        }
        specs.push_back(std::move(spec));
    }
    return specs;
}

std::map<std::string, Tolerance> tolerance(const Json& value) {
    const std::string form =
        "an object of limits for each output, of cosine (0.5 to 1), max_abs (0 to 1), share (0.5 "
        "to 1)";
    if (!value.is_object()) throw Wrong{form};
    std::map<std::string, Tolerance> outputs;
    for (const auto& [name, limits] : value.items()) {
        if (!limits.is_object() || !(limits.contains("cosine") || limits.contains("max_abs")))
            throw Wrong{form + "; cosine or max_abs at least"};
        Tolerance& output = outputs[name];
        for (const auto& [metric, limit] : limits.items()) {
            const std::string& named = metric;
            const auto* known = std::find_if(std::begin(kMetrics), std::end(kMetrics),
                                             [&](const Metric& one) { return one.name == named; });
            if (known == std::end(kMetrics) || !between(limit, known->least, known->most))
                throw Wrong{form};
            output.*known->limit = limit.get<double>();
        }
    }
    return outputs;
}

Matching matching(const Json& value) {
    const Wrong wrong{
        "an object with \"threshold\" (-1 to 1), \"false_match_rate\", \"true_match_rate\" (0 to "
        "1) and \"set\""};
    const Json &threshold = member(value, "threshold"), &set = member(value, "set"),
               &wrongly = member(value, "false_match_rate"),
               &rightly = member(value, "true_match_rate");
    if (!set.is_string() || !between(threshold, -1, 1) || !between(wrongly, 0, 1) ||
        !between(rightly, 0, 1))
        throw Wrong(wrong);
    return {threshold.get<double>(), wrongly.get<double>(), rightly.get<double>(), text_of(set)};
}

void retrieval(const Json& value) {
    const auto count = [&](const char* name) {
        const Json& number = member(value, name);
        return number.is_number_integer() && number.get<std::int64_t>() >= 0;
    };
    const auto number = [&](const char* name, double least, double most) {
        return between(member(value, name), least, most);
    };
    const bool holds = member(value, "set").is_string() && count("vehicles") && count("queries") &&
                       count("gallery") && number("fp32_map", 0, 1) && number("map", 0, 1) &&
                       number("loss", -100, 100) && number("limit", 0, 100) &&
                       all_text(member(value, "float_groups")) &&
                       all_text(member(value, "float_layers"));
    if (!holds)
        throw Wrong{
            "an object with \"set\", \"vehicles\", \"queries\", \"gallery\", \"fp32_map\" and "
            "\"map\" (0 to 1), \"loss\" and \"limit\" (points of mAP), and lists of names "
            "\"float_groups\" and \"float_layers\""};
}

std::vector<std::pair<std::string, std::string>> files(const Json& value) {
    if (!value.is_object()) throw Wrong{"an object: relative path to SHA-256"};
    if (value.size() > kMostFiles) throw Wrong{"at most " + std::to_string(kMostFiles) + " files"};
    std::vector<std::pair<std::string, std::string>> listed;
    for (const auto& [path, digest] : value.items()) {
        if (!is_inside(path))
            throw Wrong{"paths inside the bundle; " + in_quotes(path) + " leads out of it"};
        if (!is_digest(digest)) throw Wrong{"64 hexadecimal digits for " + in_quotes(path)};
        listed.emplace_back(path, text_of(digest));
    }
    return listed;
}

std::string shown(const Json& value) {
    const std::string text = core::python_json(value);
    return text.size() <= 60 ? text : text.substr(0, 57) + "...";
}

}  // namespace pamtri::engines::fields
