// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "engine_file.hpp"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "buckets.hpp"
#include "user_cache.hpp"

namespace pamtri::engines {
namespace {

namespace fs = std::filesystem;

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

core::Fact fact(const std::string& text) { return text.empty() ? core::Fact() : core::Fact(text); }

}  // namespace

std::vector<std::string> engine_folders(const std::string& bundle) {
    std::vector<std::string> folders = {(fs::path(bundle) / "engines").string()};
    const auto cache =
        core::cache_folder(variable("PAMTRI_CACHE"), variable("XDG_CACHE_HOME"), home());
    if (cache) folders.push_back((fs::path(*cache) / "engines").string());
    return folders;
}

core::Fingerprint wanted_engine(const Machine& machine, const std::string& onnx,
                                const std::string& precision) {
    return {{"onnx", onnx},
            {"library", "TensorRT " + machine.tensorrt},
            {"cuda", machine.cuda},
            {"compute", machine.compute},
            {"gpu", machine.gpu},
            {"l4t", fact(machine.l4t)},
            {"precision", fact(precision)},
            {"profiles", core::text_of(core::engine_profiles())}};
}

}  // namespace pamtri::engines
