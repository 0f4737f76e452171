// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "engine_files.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "atomic_file.hpp"
#include "json.hpp"
#include "json_text.hpp"
#include "sha256.hpp"

namespace pamtri::core {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLargestRecord = 1 << 20;  // they are some hundred bytes
constexpr std::size_t kPiece = 1 << 20;

/// An engine whose record fits.
struct Candidate {
    fs::path engine;
    Json record;
    std::string built;
};

Json record_at(const fs::path& path) {
    std::error_code code;
    if (!fs::is_regular_file(path, code) || fs::file_size(path, code) > kLargestRecord || code)
        return {};
    const std::optional<std::string> text = contents_of(path.string());
    try {
        Json record = text ? parse_json(*text) : Json();
        return record.is_object() ? record : Json();
    } catch (const JsonError&) {
        return {};
    }
}

/// The facts of a record; what is no text is told apart from the text that it looks like.
Fingerprint facts_of(const Json& record, const Fingerprint& wanted) {
    Fingerprint facts;
    for (const auto& [name, mine] : wanted) {
        const Json& value = member(record, name);
        if (value.is_string())
            facts[name] = value.get<std::string>();
        else if (!value.is_null())
            facts[name] = python_json(value) + ", which is no text";
    }
    return facts;
}

std::string joined(const std::vector<std::string>& clauses) {
    std::string text;
    for (const std::string& clause : clauses) text += (text.empty() ? "" : "; ") + clause;
    return text;
}

std::vector<fs::path> records_in(const std::string& folder) {
    std::vector<fs::path> records;
    std::error_code code;
    for (fs::directory_iterator entry(folder, code), end; !code && entry != end;
         entry.increment(code))
        if (entry->path().extension() == ".json") records.push_back(entry->path());
    std::sort(records.begin(), records.end());
    return records;
}

/// SHA-256 of a file and how many bytes it has; none where it cannot be read.
std::optional<std::pair<std::string, std::uintmax_t>> sum_of(const fs::path& path) {
    std::error_code code;
    std::ifstream file(path, std::ios::binary);
    if (!fs::is_regular_file(path, code) || !file) return {};
    Sha256 sum;
    std::uintmax_t size = 0;
    std::vector<char> piece(kPiece);
    while (file) {
        file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
        const auto count = static_cast<std::size_t>(file.gcount());
        sum.update(piece.data(), count);
        size += count;
    }
    if (file.bad()) return {};
    return std::pair{sum.digits(), size};
}

/// What is wrong with an engine itself; "" if nothing is.
std::string damage(const Candidate& one) {
    const std::string path = one.engine.string();
    const auto sum = sum_of(one.engine);
    if (!sum) return "there is no " + path + " beside its record";
    if (text_or(member(one.record, "sha256"), "") == sum->first) return "";
    const Json& bytes = member(one.record, "bytes");
    const std::string said = bytes.is_number_unsigned()
                                 ? std::to_string(bytes.get<std::uintmax_t>())
                                 : "an unknown number";
    const std::string is = std::to_string(sum->second);
    return path + " is truncated or damaged" +
           (said == is ? "" : ": it has " + is + " bytes of " + said);
}

std::string now() {
    const std::time_t seconds = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char text[40];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S+00:00", &parts);
    return text;
}

}  // namespace

std::optional<std::string> contents_of(const std::string& path) {
    std::error_code code;
    if (!fs::is_regular_file(path, code)) return {};
    std::ifstream file(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file) return {};
    return text;
}

EngineSearch find_engine(const Fingerprint& wanted, const std::vector<std::string>& folders,
                         const std::string& model) {
    EngineSearch search;
    std::vector<Candidate> fitting;
    std::vector<std::string> nearest;
    const std::string name = digest_of(wanted);
    for (const std::string& folder : folders) {
        const fs::path ours = fs::path(folder) / (name + ".engine");
        bool recorded = false;
        for (const fs::path& path : records_in(folder)) {
            Json record = record_at(path);
            const bool named = path.stem() == name;
            if (record.is_null() || (!named && text_or(member(record, "model"), "") != model))
                continue;
            recorded = recorded || named;
            const std::vector<std::string> clauses = differences(wanted, facts_of(record, wanted));
            if (clauses.empty()) {
                const std::string built = text_or(member(record, "built_utc"), "");
                const fs::path engine = fs::path(path).replace_extension(".engine");
                fitting.push_back({engine, std::move(record), built});
            } else if (named) {
                search.faults.push_back(ours.string() + " has another engine's record (" +
                                        joined(clauses) + ")");
            } else if (nearest.empty() || clauses.size() < nearest.size()) {
                nearest = clauses;
            }
        }
        std::error_code code;
        if (!recorded && fs::is_regular_file(ours, code))
            search.faults.push_back(ours.string() + " has no readable record beside it");
    }
    std::stable_sort(fitting.begin(), fitting.end(),
                     [](const Candidate& a, const Candidate& b) { return a.built > b.built; });
    for (const Candidate& one : fitting) {
        const std::string wrong = damage(one);
        if (wrong.empty()) {
            search.found = {one.engine.string(), text_or(member(one.record, "arithmetic"), "fp32")};
            return search;
        }
        search.faults.push_back(wrong);
    }
    search.why = !search.faults.empty() ? search.faults.back()
                 : nearest.empty()
                     ? "none has been built yet"
                     : "the one that is there was built for something else: " + joined(nearest);
    return search;
}

EngineFile store_engine(const Fingerprint& wanted, const std::string& folder,
                        const std::string& model, const BuiltEngine& built) {
    const std::string name = digest_of(wanted);
    const fs::path path = fs::path(folder) / (name + ".engine");
    Sha256 sum;
    sum.update(built.plan.data(), built.plan.size());
    Json record = Json::object();
    for (const auto& [fact, value] : wanted) record[fact] = value ? Json(*value) : Json();
    record["model"] = model;
    record["via"] = built.via;
    record["arithmetic"] = built.arithmetic;
    record["sha256"] = sum.digits();
    record["bytes"] = built.plan.size();
    record["layers"] = built.layers;
    record["build_s"] = std::round(built.build_s * 10) / 10;
    record["built_utc"] = now();
    remove_drafts(folder, name + ".");
    // The record last: one without its plan says nothing, and a plan is used only if its record
    // fits it.
    write_atomically(path.string(), built.plan);
    write_atomically((fs::path(folder) / (name + ".json")).string(), written(record, 1) + "\n");
    return {path.string(), built.arithmetic};
}

}  // namespace pamtri::core
