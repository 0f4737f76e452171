// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "render.hpp"

namespace pamtri::render {
namespace {

/// How a material answers light.
struct Response {
    Vec3 diffuse{0.0f, 0.0f, 0.0f};
    float mirror = 0.04f;    // reflectance straight on
    float grazing = 1.0f;    // how much of the full reflection remains at the edge
    float metal = 0.0f;      // share of the color that reflects instead of scattering
    float highlight = 0.0f;  // strength of the sun's image
    float gloss = 200.0f;    // its exponent
    Vec3 glow{0.0f, 0.0f, 0.0f};
};

Response coat(const Vec3& color, const Surface& surface) {
    return {color, 0.055f, 1.0f, surface.metal, 1.0f, surface.gloss, gray(0.0f)};
}

/// What the mesh paints on a place: an albedo for plates and matte surfaces, a tint for all others.
struct Painted {
    Vec3 albedo, tint;
};

Response respond(Material material, const Painted& painted, const Surface& surface) {
    switch (material) {
        case kPaint:
            return coat(vec(surface.paint), surface);
        case kSecondPaint:
            return coat(vec(surface.second_paint), surface);
        case kGlass:
            return {vec(surface.interior) * Vec3{0.95f, 1.0f, 0.97f},
                    0.085f,
                    1.0f,
                    0.0f,
                    1.0f,
                    1500.0f,
                    gray(0.0f)};
        case kChrome:
            return {{0.24f, 0.24f, 0.25f}, 0.40f, 1.0f, 0.0f, 0.8f, 60.0f, gray(0.0f)};
        case kHeadlamp:
            return {{0.27f, 0.28f, 0.30f},
                    0.14f,
                    1.0f,
                    0.0f,
                    0.6f,
                    400.0f,
                    Vec3{1.0f, 0.95f, 0.86f} * surface.headlamps};
        case kTaillamp:
            return {{0.34f, 0.012f, 0.015f},
                    0.06f,
                    1.0f,
                    0.0f,
                    1.0f,
                    300.0f,
                    Vec3{1.0f, 0.06f, 0.04f} * surface.taillamps};
        case kIndicator:
            return {{0.70f, 0.25f, 0.03f},
                    0.06f,
                    1.0f,
                    0.0f,
                    1.0f,
                    300.0f,
                    Vec3{1.0f, 0.45f, 0.04f} * surface.indicators};
        case kPlate:
        case kMatte:
            return {painted.albedo, 0.02f, 0.25f, 0.0f, 0.1f, 20.0f, gray(0.0f)};
        case kSeam:
            return {vec(surface.paint) * 0.12f + gray(0.004f),
                    0.02f,
                    0.25f,
                    0.0f,
                    0.0f,
                    20.0f,
                    gray(0.0f)};
        case kTyre:
            return {{0.022f, 0.022f, 0.023f}, 0.02f, 0.25f, 0.0f, 0.05f, 8.0f, gray(0.0f)};
        case kDark:
            return {gray(0.006f), 0.0f, 0.05f, 0.0f, 0.0f, 20.0f, gray(0.0f)};
        default:  // plastic
            return {gray(0.025f), 0.02f, 0.25f, 0.0f, 0.15f, 20.0f, gray(0.0f)};
    }
}

void soil(Response& response, float amount) {
    constexpr Vec3 kSoil{0.16f, 0.14f, 0.11f};
    response.diffuse = mix(response.diffuse, kSoil, amount);
    response.mirror *= 1.0f - amount;
    response.highlight *= 1.0f - amount;
}

/// A place on the surface, between the corners of its triangle.
struct Place {
    Vec3 point, normal;
    Painted painted;
};

Vec3 between(const float* values, const int* corner, const float* weights) {
    return vec(values + 3 * static_cast<std::size_t>(corner[0])) * weights[0] +
           vec(values + 3 * static_cast<std::size_t>(corner[1])) * weights[1] +
           vec(values + 3 * static_cast<std::size_t>(corner[2])) * weights[2];
}

Painted painted_on(const Mesh& mesh, std::size_t index, const int* corner, const float* weights) {
    const int map = mesh.texture[index];
    if (map < 0) {
        const Vec3 color = vec(mesh.color + 3 * index);
        return {color, color * 2.0f};
    }
    float u = 0.0f, v = 0.0f;
    for (int i = 0; i < 3; ++i) {
        u += mesh.uv[2 * static_cast<std::size_t>(corner[i])] * weights[i];
        v += mesh.uv[2 * static_cast<std::size_t>(corner[i]) + 1] * weights[i];
    }
    const std::uint8_t* stored = mesh.color_maps + 3 * mesh.cell(map, u, v);
    const Vec3 color{static_cast<float>(stored[0]), static_cast<float>(stored[1]),
                     static_cast<float>(stored[2])};
    return {color * color * (1.0f / 65025.0f), color * (1.0f / 128.0f)};
}

Place place_of(const Mesh& mesh, int triangle, const float* barycentric) {
    const auto index = static_cast<std::size_t>(triangle);
    const int* corner = mesh.triangles + 3 * index;
    const float weights[3] = {1.0f - barycentric[0] - barycentric[1], barycentric[0],
                              barycentric[1]};
    return {between(mesh.vertices, corner, weights), unit(between(mesh.normals, corner, weights)),
            painted_on(mesh, index, corner, weights)};
}

/// What the vehicle's own shape and the road take away from the light around it.
float openness(float height, float up) {
    float open = up < 0.55f ? 0.25f + 0.75f * clamp01((height - 0.02f) / 0.55f) : 1.0f;
    if (up < -0.1f) open *= 0.35f;
    return open;
}

/// Sunlight that reaches a place, before the surface's slope counts.
float sunlit(const Place& place, const Vec3& normal, float facing, const Light& light,
             const Shadows& shadows) {
    if (facing <= 0.0f) return 0.0f;
    const float slope = std::sqrt(std::max(0.0f, 1.0f - facing * facing)) / (facing + 1e-3f);
    const float bias = 0.035f + 0.035f * std::min(8.0f, slope);
    const float lit = shadows.lit(place.point + normal * 0.07f, bias);
    return lit > 0.0f ? lit * shadows.reached(place.point, vec(light.direction)) : 0.0f;
}

float fourteenth(float x) {
    const float x2 = x * x, x4 = x2 * x2;
    return x4 * x4 * x4 * x2;
}

Vec3 shaded(const Place& place, Material material, const Vec3& eye, const Light& light,
            const Surface& surface, const Surroundings& surroundings, const Shadows& shadows) {
    const Vec3 view = unit(eye - place.point);
    Vec3 normal = place.normal;
    float toward_eye = dot(normal, view);
    if (toward_eye < 0.0f) {
        normal = normal * -1.0f;
        toward_eye = -toward_eye;
    }
    const Vec3 sun_direction = vec(light.direction);
    const float facing = std::max(0.0f, dot(normal, sun_direction));
    const float sun_share = sunlit(place, normal, facing, light, shadows);
    const Vec3 reflected = normal * (2.0f * toward_eye) - view;

    Response response = respond(material, place.painted, surface);
    if (material != kMatte && material != kPlate) {
        response.diffuse = response.diffuse * place.painted.tint;
        response.glow = response.glow * place.painted.tint;
        const Triple& front = surface.front;
        if (material == kHeadlamp &&
            place.point.x * front[0] + place.point.y * front[1] <= front[2])
            response.glow = gray(0.0f);
    }
    if (surface.dirt > 0.0f && material != kGlass)
        soil(response, surface.dirt * clamp01(1.0f - (place.point.z - 0.1f) / 0.7f));

    if (material == kGlass)  // through a slanted pane more light falls on what is behind it
        response.diffuse = response.diffuse * (1.0f + 0.5f * clamp01(normal.z));

    const float open = openness(place.point.z, normal.z);
    const Vec3 sun = vec(light.sun);
    const Vec3 received = surroundings.diffuse.at(normal) * open + sun * (sun_share * facing);
    const float edge = 1.0f - toward_eye;
    const float edge5 = edge * edge * edge * edge * edge;
    const float fresnel = (response.mirror + (1.0f - response.mirror) * edge5) * response.grazing;
    const Vec3 image = surroundings.mirror.at(reflected) * open;

    Vec3 body = response.diffuse * received * (1.0f - 0.45f * response.metal);
    const float aligned = std::max(0.0f, dot(reflected, sun_direction));
    if (response.metal > 0.0f) {
        const Vec3 flakes = surroundings.glossy.at(reflected) * (0.75f * open) +
                            sun * (0.35f * sun_share * fourteenth(aligned));
        body = body + response.diffuse * flakes * response.metal;
    }
    Vec3 color = body * (1.0f - fresnel) + image * fresnel + response.glow;
    if (response.highlight > 0.0f && sun_share > 0.0f && aligned > 0.5f) {
        const float strength = response.highlight * sun_share * (response.mirror + 0.02f) * 0.5f *
                               power(aligned, response.gloss) * std::sqrt(response.gloss);
        color = color + sun * strength;
    }
    return color;
}

/// Whether fine detail may be painted on a material.
bool is_painted(Material material) {
    return material == kMatte || material == kPlate || material == kHole;
}

/// Whether one sample can stand for the four of a block: they show one smooth place of one
/// material.
bool is_uniform(const Samples& samples, std::size_t top, std::size_t bottom) {
    const std::size_t at[4] = {top, top + 1, bottom, bottom + 1};
    const std::uint8_t material = samples.material[top], instance = samples.instance[top];
    if (is_painted(static_cast<Material>(material))) return false;
    const float depth = samples.inverse_depth[top], tolerance = 0.004f * depth;
    for (const std::size_t k : at) {
        if (samples.instance[k] != instance || samples.material[k] != material) return false;
        if (std::fabs(samples.inverse_depth[k] - depth) > tolerance) return false;
    }
    return true;
}

}  // namespace

void shade(const Mesh& mesh, const Samples& samples, std::uint8_t instance, const Camera& camera,
           const Light& light, const Surface& surface, const Surroundings& surroundings,
           const Shadows& shadows, float* out) {
    const Vec3 eye = vec(camera.eye);
    const auto width = static_cast<std::size_t>(samples.width);
    const auto height = static_cast<std::size_t>(samples.height);
    const auto color_of = [&](std::size_t at) {
        const Place place = place_of(mesh, samples.triangle[at], samples.barycentric + 2 * at);
        return shaded(place, static_cast<Material>(samples.material[at]), eye, light, surface,
                      surroundings, shadows);
    };
    const auto put = [&](std::size_t at, const Vec3& color) {
        float* target = out + 4 * at;
        target[0] = color.x;
        target[1] = color.y;
        target[2] = color.z;
        target[3] = 1.0f;
    };
    const auto single = [&](std::size_t at) {
        if (samples.instance[at] == instance) put(at, color_of(at));
    };
    for (std::size_t y = 0; y < height; y += 2) {
        for (std::size_t x = 0; x < width; x += 2) {
            const std::size_t top = y * width + x, bottom = top + width;
            const bool whole = x + 1 < width && y + 1 < height;
            if (whole && samples.instance[top] == instance && is_uniform(samples, top, bottom)) {
                const Vec3 color = color_of(top);
                for (const std::size_t at : {top, top + 1, bottom, bottom + 1}) put(at, color);
                continue;
            }
            single(top);
            if (x + 1 < width) single(top + 1);
            if (y + 1 < height) single(bottom);
            if (whole) single(bottom + 1);
        }
    }
}

}  // namespace pamtri::render
