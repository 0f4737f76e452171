// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "pamtri/segments.hpp"

#include <algorithm>

#include "operations.hpp"
#include "parallel.hpp"
#include "planes.hpp"

namespace pamtri::cpu {
namespace {

constexpr std::size_t kGrain = 3;  // planes of 256 x 256: ten microseconds each and more

}  // namespace

void draw_row(const Quad& quad, int row, int size, float outside, float inside, float* target) {
    const Span span = covered_span(quad, row, size);
    std::fill(target, target + span.first, outside);
    std::fill(target + span.first, target + span.end, inside);
    std::fill(target + span.end, target + size, outside);
}

void segments(const float* keypoints, std::size_t vehicles, std::size_t per_vehicle,
              const SegmentRule& rule, int size, float* out) {
    const std::size_t plane = static_cast<std::size_t>(size) * static_cast<std::size_t>(size);
    const bool streaming = streams(out, vehicles * rule.count * plane, size);
    parallel_for(vehicles * rule.count, kGrain, [&](std::size_t item) {
        const float* vehicle = keypoints + item / rule.count * per_vehicle * 3;
        const int* corners = rule.corners + item % rule.count * 4;
        const Quad quad = quad_of(vehicle, corners, size, rule.threshold);
        write_plane(size, streaming, out + item * plane,
                    [&](int row, float* target) { draw_row(quad, row, size, 0.0f, 1.0f, target); });
    });
}

}  // namespace pamtri::cpu
