// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace pamtri::engines {

/// How many processors this process may use, at least 1: those of its affinity mask, or less where
/// a control group grants less time. Of its own group and of all above it the smallest quota
/// counts, and a part of a processor counts as one. As Python's pamtri_edge.processors.
///
/// root: the folder that holds proc and sys.
int available_processors(const std::string& root = "/");

}  // namespace pamtri::engines
