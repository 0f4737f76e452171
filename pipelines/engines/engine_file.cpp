// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "engine_file.hpp"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "engine_error.hpp"
#include "fingerprint.hpp"
#include "json.hpp"
#include "user_cache.hpp"

namespace pamtri::engines {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLargestText = 16 << 20;  // manifests and records are some kilobytes

std::optional<std::string> text_of(const fs::path& path) {
    std::error_code code;
    if (!fs::is_regular_file(path, code) || fs::file_size(path, code) > kLargestText) return {};
    std::ifstream file(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file) return {};
    return text;
}

core::Json json_of(const fs::path& path) {
    const std::optional<std::string> text = text_of(path);
    try {
        return text ? core::parse_json(*text) : core::Json();
    } catch (const core::JsonError&) {
        return core::Json();  // a record that is being written, or none of ours
    }
}

/// SHA-256 of a network, as the bundle's manifest has it.
std::string digest_of(const fs::path& bundle, const std::string& model) {
    const fs::path path = bundle / "manifest.json";
    const std::optional<std::string> text = text_of(path);
    if (!text) {
        throw EngineError(bundle.string() +
                          " is no bundle: it has no readable manifest.json. Check "
                          "the path, or make a bundle: pamtri-export --output " +
                          bundle.string());
    }
    core::Json manifest;
    try {
        manifest = core::parse_json(*text);
    } catch (const core::JsonError& error) {
        throw EngineError(path.string() + " is not readable JSON (" + error.what() +
                          "). Copy the bundle again from where it came.");
    }
    const core::Json& digest = core::member(core::member(manifest, "files"), model);
    if (!digest.is_string()) {
        throw EngineError(path.string() + " lists no " + model +
                          "; export the bundle with --staged for the two-engine path.");
    }
    return digest.get<std::string>();
}

/// What keeps an engine from serving here, as "the GPU was 'A', is 'B'"; "" if nothing does. Of any
/// precision and batches, since none can be built.
std::string differences(const core::Json& record, const std::string& digest,
                        const Machine& machine) {
    const auto fact = [&record](const char* name) {
        const core::Json& value = core::member(record, name);
        return value.is_string() ? core::Fact(value.get<std::string>()) : std::nullopt;
    };
    core::Fingerprint was;
    for (const char* name : {"onnx", "library", "cuda", "compute", "gpu", "l4t"})
        was[name] = fact(name);
    const core::Fact l4t = machine.l4t.empty() ? core::Fact() : core::Fact(machine.l4t);
    const core::Fingerprint is = {{"onnx", digest},
                                  {"library", "TensorRT " + machine.tensorrt},
                                  {"cuda", std::to_string(machine.cuda_major)},
                                  {"compute", machine.compute},
                                  {"gpu", machine.gpu},
                                  {"l4t", l4t}};
    std::string text;
    for (const std::string& clause : core::differences(is, was, core::Likeness::kServing))
        text += (text.empty() ? "" : "; ") + clause;
    return text;
}

/// What is wrong with the engine itself; "" if nothing is.
std::string damage(const fs::path& engine, const core::Json& record) {
    std::error_code code;
    const std::uintmax_t size = fs::file_size(engine, code);
    if (code) return "there is no " + engine.filename().string() + " beside its record";
    const core::Json& bytes = core::member(record, "bytes");
    const bool known = bytes.is_number_unsigned();
    if (!known || size != bytes.get<std::uintmax_t>()) {
        return engine.filename().string() + " is cut short or another file: it has " +
               std::to_string(size) + " bytes of " +
               (known ? std::to_string(bytes.get<std::uintmax_t>()) : "unknown");
    }
    return "";
}

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

/// The user's home; of one without HOME, as services often are, that of the table of users.
std::string home() {
    if (const std::string named = variable("HOME"); !named.empty()) return named;
    struct passwd entry{};
    struct passwd* found = nullptr;
    std::vector<char> text(1 << 14);
    if (getpwuid_r(getuid(), &entry, text.data(), text.size(), &found) || !found) return "";
    return found->pw_dir ? found->pw_dir : "";
}

std::vector<fs::path> records_in(const fs::path& folder) {
    std::vector<fs::path> records;
    std::error_code code;
    for (fs::directory_iterator entry(folder, code), end; !code && entry != end;
         entry.increment(code)) {
        if (entry->path().extension() == ".json") records.push_back(entry->path());
    }
    std::sort(records.begin(), records.end());
    return records;
}

}  // namespace

std::vector<std::string> engine_folders(const std::string& bundle) {
    std::vector<std::string> folders = {(fs::path(bundle) / "engines").string()};
    const auto cache =
        core::cache_folder(variable("PAMTRI_CACHE"), variable("XDG_CACHE_HOME"), home());
    if (cache) folders.push_back((fs::path(*cache) / "engines").string());
    return folders;
}

EngineFile find_engine(const std::string& bundle, const Machine& machine,
                       const std::string& model) {
    const std::string digest = digest_of(bundle, model);
    EngineFile newest;
    std::string built;
    std::string others;
    for (const std::string& folder : engine_folders(bundle)) {
        for (const fs::path& path : records_in(folder)) {
            const core::Json record = json_of(path);
            if (core::text_or(core::member(record, "model"), "") != model) continue;
            const fs::path engine = fs::path(path).replace_extension(".engine");
            std::string wrong = differences(record, digest, machine);
            if (wrong.empty()) wrong = damage(engine, record);
            if (!wrong.empty()) {
                others += " " + engine.filename().string() + ": " + wrong + ".";
                continue;
            }
            const std::string when = core::text_or(core::member(record, "built_utc"), "");
            if (newest.path.empty() || when > built) {
                built = when;
                newest = {engine.string(),
                          core::text_or(core::member(record, "arithmetic"), "fp32")};
            }
        }
    }
    if (!newest.path.empty()) return newest;
    throw EngineError(bundle + " has no engine of " + model + " for this machine" +
                      (others.empty() ? "; none was built yet." : ":" + others) +
                      " Build one here: pamtri-export with --engine, or Reidentifier.load() in "
                      "Python on this machine.");
}

}  // namespace pamtri::engines
