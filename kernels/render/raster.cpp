// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "render.hpp"

namespace pamtri::render {
namespace {

struct Corner {
    double x, y, inverse_depth;
};

/// A triangle on the screen. Edges in double precision: a sample lies inside or outside on every
/// machine alike, and neighbours leave no gaps.
struct Projected {
    Corner a, b, c;
    double b_dx, b_dy, c_dx, c_dy;  // how the weights of b and c change from sample to sample
    int left, right, top, bottom;   // samples whose centres may lie inside, inclusive

    bool empty() const { return left > right || top > bottom; }
};

bool project(const double* screen, const int* triangle, int width, int height, Projected& out) {
    const double* p = screen + 3 * static_cast<std::size_t>(triangle[0]);
    const double* q = screen + 3 * static_cast<std::size_t>(triangle[1]);
    const double* r = screen + 3 * static_cast<std::size_t>(triangle[2]);
    if (!(p[2] > 0.0 && q[2] > 0.0 && r[2] > 0.0)) return false;
    const double twice_area = (q[0] - p[0]) * (r[1] - p[1]) - (r[0] - p[0]) * (q[1] - p[1]);
    if (twice_area == 0.0) return false;
    out.a = {p[0], p[1], p[2]};
    out.b = {q[0], q[1], q[2]};
    out.c = {r[0], r[1], r[2]};
    const double low_x = std::min({p[0], q[0], r[0]}), high_x = std::max({p[0], q[0], r[0]});
    const double low_y = std::min({p[1], q[1], r[1]}), high_y = std::max({p[1], q[1], r[1]});
    if (!(high_x >= 0.0 && high_y >= 0.0 && low_x <= width && low_y <= height)) return false;
    out.left = static_cast<int>(std::ceil(std::max(0.5, low_x) - 0.5));
    out.top = static_cast<int>(std::ceil(std::max(0.5, low_y) - 0.5));
    out.right = static_cast<int>(std::floor(std::min(width - 0.5, high_x) - 0.5));
    out.bottom = static_cast<int>(std::floor(std::min(height - 0.5, high_y) - 0.5));
    if (out.empty()) return false;
    const double inverse = 1.0 / twice_area;
    out.b_dx = (r[1] - p[1]) * inverse;
    out.b_dy = -(r[0] - p[0]) * inverse;
    out.c_dx = -(q[1] - p[1]) * inverse;
    out.c_dy = (q[0] - p[0]) * inverse;
    return true;
}

Material material_at(const Mesh& mesh, std::size_t index, double second, double third) {
    const int map = mesh.texture[index];
    if (map < 0) return static_cast<Material>(mesh.material[index]);
    const int* corner = mesh.triangles + 3 * index;
    const float* p = mesh.uv + 2 * static_cast<std::size_t>(corner[0]);
    const float* q = mesh.uv + 2 * static_cast<std::size_t>(corner[1]);
    const float* r = mesh.uv + 2 * static_cast<std::size_t>(corner[2]);
    const double first = 1.0 - second - third;
    const auto u = static_cast<float>(p[0] * first + q[0] * second + r[0] * third);
    const auto v = static_cast<float>(p[1] * first + q[1] * second + r[1] * third);
    return static_cast<Material>(mesh.material_maps[mesh.cell(map, u, v)]);
}

void fill(const Mesh& mesh, std::size_t index, const Projected& t, std::uint8_t instance,
          const Samples& out) {
    for (int y = t.top; y <= t.bottom; ++y) {
        const double dy = y + 0.5 - t.a.y;
        const std::size_t row = static_cast<std::size_t>(y) * static_cast<std::size_t>(out.width);
        for (int x = t.left; x <= t.right; ++x) {
            const double dx = x + 0.5 - t.a.x;
            const double wb = dx * t.b_dx + dy * t.b_dy;
            const double wc = dx * t.c_dx + dy * t.c_dy;
            const double wa = 1.0 - wb - wc;
            if (wa < 0.0 || wb < 0.0 || wc < 0.0) continue;
            const double inverse_depth =
                wa * t.a.inverse_depth + wb * t.b.inverse_depth + wc * t.c.inverse_depth;
            const std::size_t at = row + static_cast<std::size_t>(x);
            if (static_cast<float>(inverse_depth) <= out.inverse_depth[at]) continue;
            const double second = wb * t.b.inverse_depth / inverse_depth;
            const double third = wc * t.c.inverse_depth / inverse_depth;
            const Material material = material_at(mesh, index, second, third);
            if (material == kHole) continue;
            out.inverse_depth[at] = static_cast<float>(inverse_depth);
            out.triangle[at] = static_cast<int>(index);
            out.barycentric[2 * at] = static_cast<float>(second);
            out.barycentric[2 * at + 1] = static_cast<float>(third);
            out.material[at] = material;
            out.instance[at] = instance;
        }
    }
}

}  // namespace

void raster(const Mesh& mesh, const double* screen, std::uint8_t instance, const Samples& samples) {
    Projected projected;
    for (std::size_t index = 0; index < mesh.triangle_count; ++index) {
        if (project(screen, mesh.triangles + 3 * index, samples.width, samples.height, projected))
            fill(mesh, index, projected, instance, samples);
    }
}

}  // namespace pamtri::render
