// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "render.hpp"

namespace pamtri::render {
namespace {

constexpr float kMarkHalf = 0.065f;  // half of a line's width, meters

/// Share of a sample of this size that a line covers whose middle is `distance` away.
float line_share(float distance, float half, float footprint) {
    return clamp01((half - distance) / std::max(footprint, 0.01f) + 0.5f);
}

float lane_marks(const Road& road, float u, float across, float footprint) {
    if (road.mark_strength <= 0.0f) return 0.0f;
    const float lane = (across + road.lane_phase) / road.lane_width;
    const float distance = std::fabs(lane - floor_of(lane + 0.5f)) * road.lane_width;
    if (distance > 1.0f) return 0.0f;
    if (road.dash_period > 0.0f && fraction(u / road.dash_period) > road.dash_share) return 0.0f;
    return road.mark_strength * line_share(distance, kMarkHalf, footprint);
}

float edge_lines(const Road& road, float across, float footprint) {
    if (road.edge_strength <= 0.0f) return 0.0f;
    const float distance = std::fabs(road.half_width - 0.35f - std::fabs(across));
    return road.edge_strength * line_share(distance, kMarkHalf, footprint);
}

float center_lines(const Road& road, float across, float footprint) {
    if (road.center_strength <= 0.0f) return 0.0f;
    return road.center_strength *
           line_share(std::fabs(std::fabs(across) - 0.14f), 0.055f, footprint);
}

float hatching(const Road& road, float u, float across, float footprint) {
    if (road.hatch_strength <= 0.0f || std::fabs(u) > 9.0f) return 0.0f;
    const float a = fraction((u + across) / 2.4f) - 0.5f, b = fraction((u - across) / 2.4f) - 0.5f;
    const float distance = std::min(std::fabs(a), std::fabs(b)) * 1.7f;
    return road.hatch_strength * line_share(distance, 0.06f, footprint);
}

float crossing_bars(const Road& road, float u, float across, float footprint) {
    if (std::fabs(u - road.crossing) > 1.6f) return 0.0f;
    return road.mark_strength * line_share(std::fabs(fraction(across) - 0.5f), 0.25f, footprint);
}

Vec3 asphalt(const Road& road, const Noise& noise, float u, float across, float footprint) {
    const float fade = std::min(1.0f, 0.03f / std::max(footprint, 0.01f));
    const float fine = noise.at(u * 37.0f, across * 37.0f) - 0.5f;
    const float middle = noise.at(u * 7.0f + 9.0f, across * 7.0f + 3.0f) - 0.5f;
    const float coarse = noise.at(u * 1.1f + 90.0f, across * 1.7f + 31.0f) - 0.5f;
    float level = 1.0f + road.grain * (1.2f * fine * fade + 0.7f * middle + 1.1f * coarse);
    if (road.stain > 0.0f) {  // oil and rubber, between the wheels' tracks
        const float lane = fraction((across + road.lane_phase) / road.lane_width) - 0.5f;
        level *= 1.0f - road.stain * std::max(0.0f, 1.0f - 14.0f * lane * lane);
    }
    if (road.patches > 0.0f) {
        const float patch =
            noise.at(floor_of(u * 0.35f) * 5.3f, floor_of(across * 0.6f) * 3.7f + 11.0f);
        if (patch > 0.72f) level *= 1.0f - road.patches * (patch - 0.4f);
    }
    return vec(road.asphalt) * std::max(0.2f, level);
}

Vec3 roadway(const Road& road, const Noise& noise, float u, float across, float footprint) {
    Vec3 color = asphalt(road, noise, u, across, footprint);
    const float wear = 0.55f + 0.75f * noise.at(u * 5.0f + 3.0f, across * 5.0f + 8.0f);
    const float marks =
        std::max({lane_marks(road, u, across, footprint), edge_lines(road, across, footprint),
                  crossing_bars(road, u, across, footprint)});
    color = mix(color, vec(road.mark_color), clamp01(marks * wear));
    const float yellow =
        std::max(center_lines(road, across, footprint), hatching(road, u, across, footprint));
    return mix(color, vec(road.center_color), clamp01(yellow * wear));
}

Vec3 pavement(const Road& road, const Noise& noise, float u, float across, float footprint) {
    const float tone =
        noise.at(floor_of(u / road.slab) * 7.1f, floor_of(across / road.slab) * 5.9f);
    const float fine = noise.at(u * 21.0f, across * 21.0f);
    float level =
        0.72f + 0.25f * tone + 0.3f * fine * std::min(1.0f, 0.05f / std::max(footprint, 0.01f));
    const float joint = std::min(std::fabs(fraction(u / road.slab) - 0.5f),
                                 std::fabs(fraction(across / road.slab) - 0.5f));
    level *= 1.0f - 0.35f * line_share(joint * road.slab, 0.015f, footprint);
    return vec(road.pavement_color) * level;
}

Vec3 verge(const Road& road, const Noise& noise, float u, float across) {
    const float fine = noise.at(u * 23.0f, across * 23.0f) - 0.5f;
    const float coarse = noise.at(u * 1.3f + 5.0f, across * 1.3f + 17.0f) - 0.5f;
    return vec(road.verge_color) *
           std::max(0.15f, 1.0f + road.verge_grain * (0.8f * fine + coarse));
}

}  // namespace

Vec3 ground_color(const Road& road, const Noise& noise, float u, float v, float footprint) {
    const float across = v + road.offset;
    const float beside = std::fabs(across) - road.half_width;
    if (beside < 0.0f) return roadway(road, noise, u, across, footprint);
    if (beside < road.kerb) {
        const float stone = 0.85f + 0.3f * noise.at(floor_of(u * 1.1f) * 3.3f, 0.0f);
        return vec(road.kerb_color) * (fraction(u * 1.1f) < 0.03f ? 0.6f * stone : stone);
    }
    if (beside < road.kerb + road.pavement) return pavement(road, noise, u, across, footprint);
    return verge(road, noise, u, across);
}

}  // namespace pamtri::render
