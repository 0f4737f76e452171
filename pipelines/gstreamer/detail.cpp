// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "detail.hpp"

#include <cstddef>

#include "operations.hpp"

namespace pamtri::gst {

double detail(const Picture& picture) {
    const std::ptrdiff_t row_bytes = 3 * static_cast<std::ptrdiff_t>(picture.width);
    double sharpness = 0;
    cpu::sharpness({{picture.rgb.data(), row_bytes, picture.width, picture.height}}, false,
                   &sharpness);
    return sharpness;
}

}  // namespace pamtri::gst
