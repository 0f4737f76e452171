// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>

namespace pamtri::engines {

/// The line of OpenVINO's many that says what is wrong.
inline std::string last_line(const std::string& text) {
    std::string last;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string line = text.substr(at, end - at);
        const std::size_t first = line.find_first_not_of(" \t\r");
        if (first != std::string::npos)
            last = line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
        at = end + 1;
    }
    while (!last.empty() && last.back() == '.') last.pop_back();
    return last.substr(0, 300);
}

}  // namespace pamtri::engines
