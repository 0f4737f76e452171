// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "render.hpp"

namespace pamtri::render {
namespace {

void fill(const float* a, const float* b, const float* c, int side, float* depths) {
    const float twice_area = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1]);
    if (twice_area == 0.0f) return;
    const float inverse = 1.0f / twice_area;
    const float limit = static_cast<float>(side - 1);
    const float low_x = std::max(0.0f, std::min({a[0], b[0], c[0]}));
    const float low_y = std::max(0.0f, std::min({a[1], b[1], c[1]}));
    const float high_x = std::min(limit, std::max({a[0], b[0], c[0]}));
    const float high_y = std::min(limit, std::max({a[1], b[1], c[1]}));
    if (!(low_x <= high_x && low_y <= high_y)) return;
    for (int y = static_cast<int>(low_y); y <= static_cast<int>(high_y); ++y) {
        const float dy = static_cast<float>(y) + 0.5f - a[1];
        float* row = depths + static_cast<std::size_t>(y) * static_cast<std::size_t>(side);
        for (int x = static_cast<int>(low_x); x <= static_cast<int>(high_x); ++x) {
            const float dx = static_cast<float>(x) + 0.5f - a[0];
            const float wb = (dx * (c[1] - a[1]) - dy * (c[0] - a[0])) * inverse;
            const float wc = (dy * (b[0] - a[0]) - dx * (b[1] - a[1])) * inverse;
            if (wb < 0.0f || wc < 0.0f || wb + wc > 1.0f) continue;
            const float depth = a[2] + (b[2] - a[2]) * wb + (c[2] - a[2]) * wc;
            if (depth > row[x]) row[x] = depth;
        }
    }
}

}  // namespace

void sun_map(const float* vertices, const int* triangles, std::size_t triangle_count, int side,
             float* depths) {
    for (std::size_t index = 0; index < triangle_count; ++index) {
        const int* corner = triangles + 3 * index;
        fill(vertices + 3 * static_cast<std::size_t>(corner[0]),
             vertices + 3 * static_cast<std::size_t>(corner[1]),
             vertices + 3 * static_cast<std::size_t>(corner[2]), side, depths);
    }
}

}  // namespace pamtri::render
