// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace pamtri::core {

/// The user's folder for what can be made again; none for a user without a home.
///
/// own:  the environment variable PAMTRI_CACHE, "" if it is not set
/// base: the environment variable XDG_CACHE_HOME, likewise
/// home: the user's home, likewise
inline std::optional<std::string> cache_folder(const std::string& own, const std::string& base,
                                               const std::string& home) {
    if (!own.empty()) return own;
    const std::filesystem::path there(base), house(home);
    if (!base.empty()) return (there / "pamtri-edge").string();
    if (!home.empty()) return (house / ".cache" / "pamtri-edge").string();
    return {};
}

}  // namespace pamtri::core
