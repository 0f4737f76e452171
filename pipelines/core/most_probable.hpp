// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace pamtri::core {

/// The place of the most probable class, the first of equal ones; there is at least one.
inline std::size_t place_of_most_probable(const float* first, std::size_t count) {
    return static_cast<std::size_t>(std::max_element(first, first + count) - first);
}
inline std::size_t place_of_most_probable(const std::vector<float>& probabilities) {
    return place_of_most_probable(probabilities.data(), probabilities.size());
}

}  // namespace pamtri::core
