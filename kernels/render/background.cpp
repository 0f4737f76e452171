// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>
#include <vector>

#include "render.hpp"

namespace pamtri::render {
namespace {

constexpr float kFarthestGround = 150.0f;  // meters
constexpr float kFar = std::numeric_limits<float>::max();

/// The road's frame, from the world's.
struct Turn {
    float cosine, sine;

    explicit Turn(float heading)
        : cosine(static_cast<float>(std::cos(static_cast<double>(heading)))),
          sine(static_cast<float>(std::sin(static_cast<double>(heading)))) {}

    Vec3 into(const Vec3& p) const {
        return {p.x * cosine + p.y * sine, -p.x * sine + p.y * cosine, p.z};
    }
    Vec3 back(const Vec3& p) const {
        return {p.x * cosine - p.y * sine, p.x * sine + p.y * cosine, p.z};
    }
};

Vec3 hazed(const Vec3& color, float distance, const Light& light) {
    if (light.haze <= 0.0f) return color;
    return mix(vec(light.haze_color), color, exp_of(-distance * light.haze));
}

/// Share of the sky's light that the vehicles leave to a point of the ground.
float open_sky(const Backdrop& scene, const Vec3& point) {
    float open = 1.0f;
    for (std::size_t i = 0; i < scene.footprint_count; ++i) {
        const Footprint& f = scene.footprints[i];
        const float dx = point.x - f.x, dy = point.y - f.y;
        const float along = std::fabs(dx * f.cosine + dy * f.sine) - f.half_length;
        const float beside = std::fabs(-dx * f.sine + dy * f.cosine) - f.half_width;
        if (along > 1.2f || beside > 1.2f) continue;
        const float a = std::max(0.0f, along), b = std::max(0.0f, beside);
        const float outside = std::sqrt(a * a + b * b);
        const float inside = smooth01(0.5f - 1.6f * std::max(along, beside));
        const float near = clamp01(1.0f - outside / 0.9f);
        open *= 1.0f - 0.50f * inside - 0.42f * near * near;
    }
    return open;
}

struct Lit {
    Vec3 color;
    float shadow;
};

Lit ground(const Backdrop& scene, const Turn& turn, const Vec3& ray, float distance, float sample) {
    const Vec3 point = vec(scene.camera.eye) + ray * distance;
    const Vec3 local = turn.into(point);
    const float footprint = distance * sample / std::max(0.1f, -ray.z);
    const Vec3 albedo = ground_color(scene.road, scene.noise, local.x, local.y, footprint);
    const Vec3 direction = vec(scene.light.direction);
    const float cover = scene.shadows.reached({point.x, point.y, 0.0f}, direction);
    const Vec3 direct = vec(scene.light.sun) * (direction.z * cover);
    const Vec3 sky = vec(scene.light.sky);
    Vec3 color = albedo * (sky + direct);
    const float lit = scene.shadows.lit({point.x, point.y, 0.0f}, 0.02f);
    const float open = open_sky(scene, point);
    const float shadow = (mean(sky) * open + mean(direct) * lit * (0.4f + 0.6f * open)) /
                         (mean(sky) + mean(direct) + 1e-6f);
    if (scene.road.wet > 0.0f) {
        const float rough = 0.03f * (scene.noise.at(local.x * 3.0f, local.y * 3.0f) - 0.5f);
        const Vec3 mirrored = unit({ray.x + rough, ray.y - rough, -ray.z});
        const float graze = 1.0f + ray.z;
        const float fresnel = scene.road.wet * (0.03f + 0.8f * graze * graze * graze * graze);
        color = color * (1.0f - 0.45f * scene.road.wet) +
                scene.surroundings.glossy.at(mirrored) * fresnel;
    }
    return {hazed(color, distance, scene.light), shadow};
}

/// Ground and sky; `distances` gets how far the ground is, kFar for the sky.
void far_and_flat(const Backdrop& scene, const Turn& turn, int width, int height,
                  const std::uint8_t* covered, float* color, float* shadow, float* distances) {
    const float eye_height = scene.camera.eye[2];
    const float sample = 1.0f / std::max(scene.camera.intrinsics[0], scene.camera.intrinsics[1]);
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            const std::size_t at = static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
                                   static_cast<std::size_t>(x);
            distances[at] = 0.0f;
            shadow[at] = 1.0f;
            if (covered && covered[at] == 255) continue;
            const Vec3 ray =
                scene.camera.ray(static_cast<float>(x) + 0.5f, static_cast<float>(y) + 0.5f);
            const float distance = ray.z < -1e-3f ? -eye_height / ray.z : kFar;
            Vec3 seen;
            if (distance < kFarthestGround) {
                const Lit lit = ground(scene, turn, ray, distance, sample);
                seen = lit.color;
                shadow[at] = lit.shadow;
                distances[at] = distance;
            } else {
                seen = scene.surroundings.mirror.at(ray);
                distances[at] = kFar;
            }
            color[3 * at] = seen.x;
            color[3 * at + 1] = seen.y;
            color[3 * at + 2] = seen.z;
        }
    }
}

struct Rectangle {
    int left, top, right, bottom;  // right and bottom exclusive
};

/// Samples in which a block may be seen: the rectangle about its corners, or all if it reaches
/// behind.
Rectangle extent(const Backdrop& scene, const Turn& turn, const Block& block, int width,
                 int height) {
    const Camera& camera = scene.camera;
    float low_x = kFar, low_y = kFar, high_x = -kFar, high_y = -kFar;
    for (int corner = 0; corner < 8; ++corner) {
        const Vec3 local{block.u + (corner & 1 ? block.half_u : -block.half_u),
                         block.v + (corner & 2 ? block.half_v : -block.half_v),
                         corner & 4 ? block.top : block.bottom};
        const Vec3 p = turn.back(local) - vec(camera.eye);
        const float depth = dot(vec(&camera.rotation[6]), p);
        if (depth < 0.2f) return {0, 0, width, height};
        const float x =
            dot(vec(&camera.rotation[0]), p) / depth * camera.intrinsics[0] + camera.intrinsics[2];
        const float y =
            dot(vec(&camera.rotation[3]), p) / depth * camera.intrinsics[1] + camera.intrinsics[3];
        low_x = std::min(low_x, x);
        high_x = std::max(high_x, x);
        low_y = std::min(low_y, y);
        high_y = std::max(high_y, y);
    }
    const auto whole = [](float value, int limit) {
        return static_cast<int>(std::min(static_cast<float>(limit), std::max(0.0f, value)));
    };
    return {whole(std::floor(low_x), width), whole(std::floor(low_y), height),
            whole(std::ceil(high_x) + 1.0f, width), whole(std::ceil(high_y) + 1.0f, height)};
}

/// Where a ray enters a block: distance and the face's axis (0 u, 1 v, 2 up); kFar where it does
/// not.
struct Entry {
    float distance;
    int axis;
};

Entry enter_box(const Block& block, const Vec3& origin, const Vec3& ray) {
    const float from[3] = {origin.x - block.u, origin.y - block.v,
                           origin.z - 0.5f * (block.bottom + block.top)};
    const float along[3] = {ray.x, ray.y, ray.z};
    const float half[3] = {block.half_u, block.half_v, 0.5f * (block.top - block.bottom)};
    float nearest = -kFar, farthest = kFar;
    int axis = 0;
    for (int i = 0; i < 3; ++i) {
        const float step = std::fabs(along[i]) < 1e-6f ? 1e-6f : along[i];
        const float a = (-half[i] - from[i]) / step, b = (half[i] - from[i]) / step;
        if (std::min(a, b) > nearest) {
            nearest = std::min(a, b);
            axis = i;
        }
        farthest = std::min(farthest, std::max(a, b));
    }
    return {nearest < farthest && nearest > 0.1f ? nearest : kFar, axis};
}

Entry enter_ellipsoid(const Block& block, const Vec3& origin, const Vec3& ray) {
    const float half_z = 0.5f * (block.top - block.bottom);
    const Vec3 o{(origin.x - block.u) / block.half_u, (origin.y - block.v) / block.half_v,
                 (origin.z - block.bottom - half_z) / half_z};
    const Vec3 d{ray.x / block.half_u, ray.y / block.half_v, ray.z / half_z};
    const float a = dot(d, d), b = dot(o, d), c = dot(o, o) - 1.0f;
    const float inside = b * b - a * c;
    if (inside <= 0.0f) return {kFar, 2};
    const float distance = (-b - std::sqrt(inside)) / a;
    return {distance > 0.1f ? distance : kFar, 2};
}

bool is_window(const Block& block, float along, float height) {
    if (block.period <= 0.0f || height < 1.0f) return false;
    return fraction(along / block.period + block.phase) > 0.45f && fraction(height * 0.33f) > 0.45f;
}

Vec3 building_color(const Block& block, const Noise& noise, float along, float height, int axis) {
    const Vec3 wall{block.red, block.green, block.blue};
    const float tone = 0.8f + 0.4f * noise.at(along * 5.0f, height * 5.0f);
    if (axis == 2) return wall * 0.8f;
    if (is_window(block, along, height)) {
        const float glint =
            noise.at(floor_of(along / block.period) * 3.1f, floor_of(height * 0.33f) * 5.7f);
        return gray(0.03f + 0.35f * glint * glint);
    }
    return wall * tone;
}

/// A car at the kerb, told by what it is painted with where: wheels, body, windows, roof.
Vec3 parked_color(const Block& block, float along, float height, int axis) {
    const Vec3 paint{block.red, block.green, block.blue};
    if (axis == 2) return paint;
    const float share = height / block.top;
    const float end = std::fabs(along) / (axis == 1 ? block.half_u : block.half_v);
    if (share < 0.16f) return gray(0.01f);
    if (axis == 1 && share < 0.42f && std::fabs(end - 0.62f) < 0.15f) return gray(0.02f);
    if (share > 0.6f && share < 0.93f && end < 0.88f) return gray(0.03f);
    return paint;
}

/// Color of a block where a ray meets it, unlit, and how it faces up and toward the sun.
struct Met {
    Vec3 albedo, normal;
    bool there;
};

Met meet(const Block& block, const Noise& noise, const Vec3& place, int axis, const Vec3& ray) {
    const Vec3 color{block.red, block.green, block.blue};
    Vec3 normal{0.0f, 0.0f, 1.0f};
    if (axis == 0) normal = {ray.x > 0.0f ? -1.0f : 1.0f, 0.0f, 0.0f};
    if (axis == 1) normal = {0.0f, ray.y > 0.0f ? -1.0f : 1.0f, 0.0f};
    const float du = place.x - block.u, dv = place.y - block.v;
    const float along = axis == 0 ? dv : du;
    switch (static_cast<int>(block.kind)) {
        case Block::kBuilding:
            return {building_color(block, noise, along, place.z, axis), normal, true};
        case Block::kParked:
            return {parked_color(block, along, place.z, axis), normal, true};
        case Block::kTree: {
            const float half_z = 0.5f * (block.top - block.bottom);
            const float side = du + 0.7f * dv;
            const float leaves = 0.5f * noise.at(side * 7.0f, place.z * 7.0f) +
                                 0.5f * noise.at(side * 19.0f, place.z * 19.0f);
            normal = unit(
                {du / block.half_u, dv / block.half_v, (place.z - block.bottom - half_z) / half_z});
            const float rim = std::fabs(dot(normal, ray));
            return {color * (0.35f + 1.3f * leaves * leaves), normal, leaves + 1.6f * rim > 0.62f};
        }
        default:
            return {color * (0.8f + 0.4f * noise.at(along * 9.0f, place.z * 9.0f)), normal, true};
    }
}

void draw_block(const Backdrop& scene, const Turn& turn, const Block& block, int width, int height,
                const std::uint8_t* covered, float* color, float* shadow, float* distances) {
    const Rectangle in = extent(scene, turn, block, width, height);
    const Vec3 origin = turn.into(vec(scene.camera.eye));
    const Vec3 sun = turn.into(vec(scene.light.direction));
    for (int y = in.top; y < in.bottom; ++y) {
        for (int x = in.left; x < in.right; ++x) {
            const std::size_t at = static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
                                   static_cast<std::size_t>(x);
            if (covered && covered[at] == 255) continue;
            const Vec3 ray = turn.into(
                scene.camera.ray(static_cast<float>(x) + 0.5f, static_cast<float>(y) + 0.5f));
            const bool round = static_cast<int>(block.kind) == Block::kTree;
            const Entry entry =
                round ? enter_ellipsoid(block, origin, ray) : enter_box(block, origin, ray);
            if (entry.distance >= distances[at]) continue;
            const Vec3 place = origin + ray * entry.distance;
            const Met met = meet(block, scene.noise, place, entry.axis, ray);
            if (!met.there) continue;
            const float facing = std::max(0.0f, dot(met.normal, sun));
            const Vec3 world = turn.back(met.normal);
            const Vec3 light = scene.surroundings.diffuse.at(world) + vec(scene.light.sun) * facing;
            const Vec3 seen = hazed(met.albedo * light, entry.distance, scene.light);
            color[3 * at] = seen.x;
            color[3 * at + 1] = seen.y;
            color[3 * at + 2] = seen.z;
            shadow[at] = 1.0f;
            distances[at] = entry.distance;
        }
    }
}

}  // namespace

void background(const Backdrop& scene, int width, int height, const std::uint8_t* covered,
                float* color, float* shadow) {
    const Turn turn(scene.road.heading);
    std::vector<float> distances(static_cast<std::size_t>(width) *
                                 static_cast<std::size_t>(height));
    far_and_flat(scene, turn, width, height, covered, color, shadow, distances.data());
    for (std::size_t i = 0; i < scene.block_count; ++i)
        draw_block(scene, turn, scene.blocks[i], width, height, covered, color, shadow,
                   distances.data());
}

}  // namespace pamtri::render
