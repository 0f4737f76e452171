// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include <limits>
#include <vector>

#include "render.hpp"

namespace pamtri::render {
namespace {

struct Corner {
    double x, y, inverse_depth;
};

/// A triangle on the screen. Edges in double precision: a sample lies inside or outside on every
/// machine alike, and neighbors leave no gaps.
struct Projected {
    Corner a, b, c;
    double b_dx, b_dy, c_dx, c_dy;  // how the weights of b and c change from sample to sample
    int left, right, top, bottom;   // samples whose centers may lie inside, inclusive

    bool empty() const { return left > right || top > bottom; }
};

/// The first sample whose center lies at or behind x, which is below 2^31.
int first_center(double x) {
    const double from = std::max(0.5, x) - 0.5;
    const int whole = static_cast<int>(from);
    return whole < from ? whole + 1 : whole;
}

/// The last of `count` samples whose center lies at or before x; -1 if none does.
int last_center(double x, int count) {
    const double to = std::min(count - 0.5, x) - 0.5;
    return to < 0.0 ? -1 : static_cast<int>(to);
}

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
    out.left = first_center(low_x);
    out.top = first_center(low_y);
    out.right = last_center(high_x, width);
    out.bottom = last_center(high_y, height);
    if (out.empty()) return false;
    const double inverse = 1.0 / twice_area;
    out.b_dx = (r[1] - p[1]) * inverse;
    out.b_dy = -(r[0] - p[0]) * inverse;
    out.c_dx = -(q[1] - p[1]) * inverse;
    out.c_dy = (q[0] - p[0]) * inverse;
    return true;
}

/// Coordinates on a triangle's map, divided by depth: linear on the screen.
struct MapPlane {
    int map;
    double u[3], v[3];
};

MapPlane map_plane(const Mesh& mesh, std::size_t index, const Projected& t) {
    MapPlane plane{mesh.texture[index], {}, {}};
    const double inverse_depth[3] = {t.a.inverse_depth, t.b.inverse_depth, t.c.inverse_depth};
    for (int i = 0; i < 3; ++i) {
        const float* uv = mesh.uv + 2 * static_cast<std::size_t>(mesh.triangles[3 * index + i]);
        plane.u[i] = uv[0] * inverse_depth[i];
        plane.v[i] = uv[1] * inverse_depth[i];
    }
    return plane;
}

/// Samples of a row between the edges, widened so that rounding loses none: each is tested again.
class Spans {
  public:
    explicit Spans(const Projected& t) : t_(t), tight_(t.right - t.left > kNarrow) {
        const double a_dx = -(t.b_dx + t.c_dx), a_dy = -(t.b_dy + t.c_dy);
        add(1.0, a_dx, a_dy);
        add(0.0, t.b_dx, t.b_dy);
        add(0.0, t.c_dx, t.c_dy);
    }

    void of_row(double dy, int& left, int& right) const {
        left = t_.left;
        right = t_.right;
        if (!tight_) return;
        for (int i = 0; i < count_; ++i) {
            const double x =
                -(edges_[i].base + edges_[i].dy * dy) * edges_[i].per_dx + t_.a.x - 0.5;
            if (!(std::fabs(x) < 1e6)) continue;
            if (edges_[i].per_dx > 0.0)
                left = std::max(left, static_cast<int>(x) - 2);
            else
                right = std::min(right, static_cast<int>(x) + 2);
        }
    }

  private:
    static constexpr int kNarrow = 5;

    struct Edge {
        double base, dy, per_dx;
    };

    void add(double base, double dx, double dy) {
        if (tight_ && dx != 0.0) edges_[count_++] = {base, dy, 1.0 / dx};
    }

    const Projected& t_;
    bool tight_;
    int count_ = 0;
    Edge edges_[3];
};

void fill(const Mesh& mesh, std::size_t index, const Projected& t, std::uint8_t instance,
          const Samples& out) {
    const MapPlane plane = map_plane(mesh, index, t);
    const Spans spans(t);
    for (int y = t.top; y <= t.bottom; ++y) {
        const double dy = y + 0.5 - t.a.y;
        const std::size_t row = static_cast<std::size_t>(y) * static_cast<std::size_t>(out.width);
        int left, right;
        spans.of_row(dy, left, right);
        for (int x = left; x <= right; ++x) {
            const double dx = x + 0.5 - t.a.x;
            const double wb = dx * t.b_dx + dy * t.b_dy;
            const double wc = dx * t.c_dx + dy * t.c_dy;
            const double wa = 1.0 - wb - wc;
            if (wa < 0.0 || wb < 0.0 || wc < 0.0) continue;
            const double inverse_depth =
                wa * t.a.inverse_depth + wb * t.b.inverse_depth + wc * t.c.inverse_depth;
            const std::size_t at = row + static_cast<std::size_t>(x);
            if (static_cast<float>(inverse_depth) <= out.inverse_depth[at]) continue;
            const double depth = 1.0 / inverse_depth;
            int material = mesh.material[index];
            if (plane.map >= 0) {
                const double u = (wa * plane.u[0] + wb * plane.u[1] + wc * plane.u[2]) * depth;
                const double v = (wa * plane.v[0] + wb * plane.v[1] + wc * plane.v[2]) * depth;
                material = mesh.material_maps[mesh.cell(plane.map, static_cast<float>(u),
                                                        static_cast<float>(v))];
            }
            if (material == kHole) continue;
            out.inverse_depth[at] = static_cast<float>(inverse_depth);
            out.triangle[at] = static_cast<int>(index);
            out.barycentric[2 * at] = static_cast<float>(wb * t.b.inverse_depth * depth);
            out.barycentric[2 * at + 1] = static_cast<float>(wc * t.c.inverse_depth * depth);
            out.material[at] = static_cast<std::uint8_t>(material);
            out.instance[at] = instance;
        }
    }
}

constexpr std::size_t kBuckets = 512;

/// The triangles, nearest first (by their nearest corner, roughly): most of what is hidden is then
/// never looked at twice. Among equals they keep their order.
std::vector<std::size_t> nearest_first(const Mesh& mesh, const double* screen) {
    std::vector<float> keys(mesh.triangle_count);
    float low = std::numeric_limits<float>::max(), high = 0.0f;
    for (std::size_t i = 0; i < mesh.triangle_count; ++i) {
        const int* corner = mesh.triangles + 3 * i;
        double nearest = 0.0;
        for (int k = 0; k < 3; ++k)
            nearest = std::max(nearest, screen[3 * static_cast<std::size_t>(corner[k]) + 2]);
        keys[i] = static_cast<float>(nearest);
        low = std::min(low, keys[i]);
        high = std::max(high, keys[i]);
    }
    const float scale = static_cast<float>(kBuckets - 1) / std::max(high - low, 1e-12f);
    const auto bucket = [&](std::size_t i) {
        return kBuckets - 1 - static_cast<std::size_t>((keys[i] - low) * scale);
    };
    std::vector<std::size_t> begins(kBuckets + 1);
    for (std::size_t i = 0; i < mesh.triangle_count; ++i) ++begins[bucket(i) + 1];
    for (std::size_t b = 0; b < kBuckets; ++b) begins[b + 1] += begins[b];
    std::vector<std::size_t> order(mesh.triangle_count);
    for (std::size_t i = 0; i < mesh.triangle_count; ++i) order[begins[bucket(i)]++] = i;
    return order;
}

}  // namespace

void raster(const Mesh& mesh, const double* screen, std::uint8_t instance, const Samples& samples) {
    Projected projected;
    for (const std::size_t index : nearest_first(mesh, screen)) {
        if (project(screen, mesh.triangles + 3 * index, samples.width, samples.height, projected))
            fill(mesh, index, projected, instance, samples);
    }
}

}  // namespace pamtri::render
