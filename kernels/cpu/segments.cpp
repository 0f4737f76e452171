// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "pamtri/segments.hpp"

#include <algorithm>

#include "operations.hpp"
#include "parallel.hpp"

namespace pamtri::cpu {

void draw(const Quad& quad, int size, float outside, float inside, float* plane) {
    if (!quad.drawn) {
        std::fill_n(plane, static_cast<std::size_t>(size) * static_cast<std::size_t>(size),
                    outside);
        return;
    }
    for (int row = 0; row < size; ++row, plane += size) {
        const Span span = covered_span(quad, row, size);
        std::fill(plane, plane + span.first, outside);
        std::fill(plane + span.first, plane + span.end, inside);
        std::fill(plane + span.end, plane + size, outside);
    }
}

void segments(const float* keypoints, std::size_t vehicles, std::size_t per_vehicle,
              const SegmentRule& rule, int size, float* out) {
    const std::size_t plane = static_cast<std::size_t>(size) * static_cast<std::size_t>(size);
    parallel_for(vehicles * rule.count, [&](std::size_t item) {
        const std::size_t vehicle = item / rule.count;
        const std::size_t segment = item % rule.count;
        const Quad quad = quad_of(keypoints + vehicle * per_vehicle * 3, rule.corners + segment * 4,
                                  size, rule.threshold);
        draw(quad, size, 0.0f, 1.0f, out + item * plane);
    });
}

}  // namespace pamtri::cpu
