// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Files that appear whole or not at all: written beside their final name, then renamed to it.
#pragma once

#include <string>
#include <string_view>

namespace pamtri::core {

/// Write a file: a reader sees the old content or the new. Nothing is left of one that failed.
///
/// Throws std::system_error: it cannot be written.
void write_atomically(const std::string& path, std::string_view content);

/// Remove what killed processes left of files of a folder whose names begin so. Nobody may be
/// writing one of them.
void remove_drafts(const std::string& folder, const std::string& beginning);

}  // namespace pamtri::core
