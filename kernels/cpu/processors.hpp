// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

namespace pamtri {

/// How many processors' time the control groups grant that this process is in; none where they
/// limit nothing. Of its own group and of all above it the smallest quota counts, and a part of a
/// processor counts as one.
///
/// root: the folder that holds proc and sys.
std::optional<int> processor_grant(const std::string& root = "/");

/// How many processors this process may use, at least 1: those of its affinity mask, or less where
/// control groups grant less.
int available_processors(const std::string& root = "/");

}  // namespace pamtri
