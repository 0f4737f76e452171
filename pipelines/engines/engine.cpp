// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "engine.hpp"

namespace pamtri::engines {

std::size_t size_of(ElementType type) { return type == ElementType::kFloat16 ? 2 : 4; }

std::size_t TensorSpec::item_bytes() const {
    std::size_t bytes = size_of(type);
    for (const std::int64_t size : item) bytes *= static_cast<std::size_t>(size);
    return bytes;
}

}  // namespace pamtri::engines
