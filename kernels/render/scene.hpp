// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What a picture is made of. World frame: x, y on the ground, z up, meters. Colors are linear
// light.
#pragma once

#include <cstddef>
#include <cstdint>

#include "numbers.hpp"

namespace pamtri::render {

/// What a surface is made of; the numbers are those of pamtri_edge.synth.material.
enum Material : std::uint8_t {
    kHole,
    kPaint,
    kGlass,
    kPlastic,
    kChrome,
    kHeadlamp,
    kTaillamp,
    kPlate,
    kSeam,
    kTyre,
    kMatte,
    kDark,
    kIndicator,
    kSecondPaint,
};

/// Triangles and the maps painted on them; a triangle has a map (texture >= 0) or a material and
/// color.
struct Mesh {
    const float* vertices;  // (vertex_count, 3)
    const float* normals;   // (vertex_count, 3)
    const float* uv;        // (vertex_count, 2), 0..1
    std::size_t vertex_count;
    const int* triangles;  // (triangle_count, 3)
    const int* texture;    // (triangle_count,)
    const int* material;   // (triangle_count,)
    const float* color;    // (triangle_count, 3)
    std::size_t triangle_count;
    const std::uint8_t* material_maps;  // (maps, map_height, map_width)
    const std::uint8_t* color_maps;     // (maps, map_height, map_width, 3), squared to be linear
    int map_width, map_height;

    /// Offset of a map's cell.
    std::size_t cell(int map, float u, float v) const {
        const int x = std::min(map_width - 1, static_cast<int>(clamp01(u) * map_width));
        const int y = std::min(map_height - 1, static_cast<int>(clamp01(v) * map_height));
        return (static_cast<std::size_t>(map) * map_height + y) * map_width + x;
    }
};

/// What is seen in each sample of a picture; `instance` is kNothing where nothing is.
struct Samples {
    int width, height;
    float* inverse_depth;    // (height, width), 0 where nothing is
    int* triangle;           // (height, width)
    float* barycentric;      // (height, width, 2), of the second and third corner
    std::uint8_t* material;  // (height, width)
    std::uint8_t* instance;  // (height, width)
};

constexpr std::uint8_t kNothing = 255;

/// A pinhole camera: rows of `rotation` are right, down and forward in the world.
struct Camera {
    Triple eye{};
    std::array<float, 9> rotation{};
    std::array<float, 4> intrinsics{};  // fx, fy, cx, cy, in samples

    Vec3 ray(float x, float y) const {
        const float a = (x - intrinsics[2]) / intrinsics[0];
        const float b = (y - intrinsics[3]) / intrinsics[1];
        return unit(vec(&rotation[0]) * a + vec(&rotation[3]) * b + vec(&rotation[6]));
    }
};

/// The light of a scene. `sky` is what the level ground receives beside the sun.
struct Light {
    Triple direction{};  // unit, toward the sun (or the street lamp)
    Triple sun{};
    Triple sky{};
    Triple haze_color{};
    float haze = 0.0f;  // extinction a meter
};

/// What a vehicle is painted with.
struct Surface {
    Triple paint{};
    Triple second_paint{};
    Triple interior{};
    float metal = 0.0f;
    float gloss = 200.0f;  // exponent of the sun's highlight
    float dirt = 0.0f;
    Triple front{0.0f, 0.0f,
                 -1.0f};  // headlamps shine where x * [0] + y * [1] > [2]: not those to reverse
    float headlamps = 0.0f;
    float taillamps = 0.0f;
    float indicators = 0.0f;
};

/// A square map of directions, folded octahedron: the middle is straight up, the corners straight
/// down.
struct Directions {
    const float* colors;  // (side, side, 3)
    int side;

    Vec3 at(Vec3 d) const {
        const float scale = 1.0f / (std::fabs(d.x) + std::fabs(d.y) + std::fabs(d.z) + 1e-12f);
        float u = d.x * scale, v = d.y * scale;
        if (d.z < 0.0f) {
            const float folded = (1.0f - std::fabs(v)) * (u < 0.0f ? -1.0f : 1.0f);
            v = (1.0f - std::fabs(u)) * (v < 0.0f ? -1.0f : 1.0f);
            u = folded;
        }
        const float x = clamp01(u * 0.5f + 0.5f) * static_cast<float>(side - 1);
        const float y = clamp01(v * 0.5f + 0.5f) * static_cast<float>(side - 1);
        const int i = std::min(side - 2, static_cast<int>(x)),
                  j = std::min(side - 2, static_cast<int>(y));
        const float* top = colors + 3 * (static_cast<std::size_t>(j) * side + i);
        const float* bottom = top + 3 * static_cast<std::size_t>(side);
        const float s = x - static_cast<float>(i);
        return mix(mix(vec(top), vec(top + 3), s), mix(vec(bottom), vec(bottom + 3), s),
                   y - static_cast<float>(j));
    }
};

/// What is seen in each direction: as in a mirror, in rough metal, and summed over a half space.
struct Surroundings {
    Directions mirror, glossy, diffuse;
};

/// What stands in the sun's way: the vehicles (a map of depths toward the sun, orthographic about
/// `center`) and the surroundings (a map of the ground, the share of sunlight that arrives).
struct Shadows {
    const float* depths;  // (side, side)
    int side;
    std::array<float, 9> rotation;  // rows: the map's x, its y, toward the sun
    Vec3 center;
    float half;          // meters from the middle of the map to its edge
    const float* cover;  // (cover_side, cover_side)
    int cover_side;
    float cover_half;  // meters

    /// Share of the vehicles' samples around a point that leave it lit. `bias` in meters.
    float lit(Vec3 point, float bias) const {
        const Vec3 p = point - center;
        const float scale = static_cast<float>(side) / (2.0f * half);
        const float x = (dot(vec(&rotation[0]), p) + half) * scale - 0.5f;
        const float y = (dot(vec(&rotation[3]), p) + half) * scale - 0.5f;
        if (!(x >= 0.0f && y >= 0.0f && x < static_cast<float>(side - 1) &&
              y < static_cast<float>(side - 1)))
            return 1.0f;
        const float depth = dot(vec(&rotation[6]), p) + bias;
        const int i = static_cast<int>(x), j = static_cast<int>(y);
        const float* top = depths + static_cast<std::size_t>(j) * side + i;
        const float* bottom = top + side;
        const float s = x - static_cast<float>(i), t = y - static_cast<float>(j);
        const float above = (top[0] <= depth ? 1.0f - s : 0.0f) + (top[1] <= depth ? s : 0.0f);
        const float below =
            (bottom[0] <= depth ? 1.0f - s : 0.0f) + (bottom[1] <= depth ? s : 0.0f);
        return above * (1.0f - t) + below * t;
    }

    /// Share of sunlight that the surroundings leave to a point: looked up where its ray meets the
    /// ground.
    float reached(Vec3 point, Vec3 sun) const {
        const float along = point.z / std::max(sun.z, 0.05f);
        const float scale = static_cast<float>(cover_side) / (2.0f * cover_half);
        const float limit = static_cast<float>(cover_side) - 1.001f;
        const float x =
            std::min(limit, std::max(0.0f, (point.x - sun.x * along + cover_half) * scale));
        const float y =
            std::min(limit, std::max(0.0f, (point.y - sun.y * along + cover_half) * scale));
        const int i = static_cast<int>(x), j = static_cast<int>(y);
        const float* top = cover + static_cast<std::size_t>(j) * cover_side + i;
        const float* bottom = top + cover_side;
        const float s = x - static_cast<float>(i), t = y - static_cast<float>(j);
        return (top[0] * (1.0f - s) + top[1] * s) * (1.0f - t) +
               (bottom[0] * (1.0f - s) + bottom[1] * s) * t;
    }
};

/// A road and what lies beside it. Its frame: u along it, v to its left, about the world's origin.
struct Road {
    float heading = 0.0f;  // radians
    float offset = 0.0f;   // v of the world's origin
    float half_width = 5.0f;
    float lane_width = 3.4f;
    float lane_phase = 0.0f;   // where the first lane mark lies, meters
    float dash_period = 6.0f;  // meters; 0: no gaps
    float dash_share = 0.5f;
    float mark_strength = 0.8f;  // 0..1, worn to fresh
    float edge_strength = 0.0f;
    float center_strength = 0.0f;  // a double line in the middle
    float hatch_strength = 0.0f;   // the yellow grid of a junction
    float crossing = 1000.0f;      // u of a pedestrian crossing
    float stain = 0.0f;
    float patches = 0.0f;
    float grain = 0.2f;
    float kerb = 0.18f;
    float pavement = 2.0f;
    float slab = 0.6f;  // meters between the joints of the pavement
    float wet = 0.0f;
    Triple asphalt{};
    Triple mark_color{};
    Triple center_color{};
    Triple kerb_color{};
    Triple pavement_color{};
    Triple verge_color{};
    float verge_grain = 0.6f;
};

/// Value noise, a power of two on each side, repeated without a seam.
struct Noise {
    const float* values;  // (side, side), 0..1
    int side;

    float at(float u, float v) const {
        const float fu = floor_of(u), fv = floor_of(v);
        const float s = u - fu, t = v - fv;
        const int mask = side - 1;
        const int x = static_cast<int>(fu) & mask, y = static_cast<int>(fv) & mask;
        const int x1 = (x + 1) & mask, y1 = (y + 1) & mask;
        const float top = values[y * side + x] * (1.0f - s) + values[y * side + x1] * s;
        const float bottom = values[y1 * side + x] * (1.0f - s) + values[y1 * side + x1] * s;
        return top * (1.0f - t) + bottom * t;
    }
};

/// Something that stands beside the road, in the road's frame.
struct Block {
    enum Kind { kBuilding, kParked, kTree, kPlain };
    float kind, u, v, half_u, half_v, bottom, top, red, green, blue, period, phase;
};

/// Where a vehicle stands: what darkens the ground under and beside it.
struct Footprint {
    float x, y, cosine, sine, half_length, half_width;
};

struct Backdrop {
    Camera camera;
    Light light;
    Road road;
    Surroundings surroundings;
    Shadows shadows;
    Noise noise;
    const Block* blocks;
    std::size_t block_count;
    const Footprint* footprints;
    std::size_t footprint_count;
};

}  // namespace pamtri::render
