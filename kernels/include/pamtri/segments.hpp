// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// segments: quadrilaterals between keypoints, as half-planes evaluated at pixel centers.
#pragma once

#include "pamtri/common.hpp"

namespace pamtri {

/// A quadrilateral in pixels. The edge vectors are oriented so that a point is inside where every
/// edge_value is at least zero; one that is not to be drawn contains no point.
struct Quad {
    float x[4], y[4];  // corners
    float edge_x[4],
        edge_y[4];  // corner i to corner i + 1, negated where the outline runs the other way
    bool drawn;
};

/// The quadrilateral of four keypoints.
///
/// keypoints: rows of x, y in crop units, confidence. corners: four row numbers, in order around
/// the outline. size: side of the raster in pixels. Drawn if all four confidences reach the
/// threshold and the outline is strictly convex: the cross products of consecutive edges are all
/// above or all below zero (for four corners that excludes crossing outlines too).
PAMTRI_HD Quad quad_of(const float* keypoints, const int* corners, int size, float threshold) {
    Quad quad{};
    bool confident = true;
    for (int i = 0; i < 4; ++i) {
        const float* keypoint = keypoints + 3 * corners[i];
        quad.x[i] = product(keypoint[0], static_cast<float>(size));
        quad.y[i] = product(keypoint[1], static_cast<float>(size));
        confident = confident && keypoint[2] >= threshold;
    }
    for (int i = 0; i < 4; ++i) {
        quad.edge_x[i] = quad.x[(i + 1) % 4] - quad.x[i];
        quad.edge_y[i] = quad.y[(i + 1) % 4] - quad.y[i];
    }
    int above = 0;
    int below = 0;
    for (int i = 0; i < 4; ++i) {
        const int next = (i + 1) % 4;
        const float turn =
            product(quad.edge_x[i], quad.edge_y[next]) - product(quad.edge_y[i], quad.edge_x[next]);
        above += turn > 0.0f;
        below += turn < 0.0f;
    }
    quad.drawn = confident && (above == 4 || below == 4);
    if (below == 4) {
        for (int i = 0; i < 4; ++i) {
            quad.edge_x[i] = -quad.edge_x[i];
            quad.edge_y[i] = -quad.edge_y[i];
        }
    }
    return quad;
}

/// On which side of edge i a point lies: zero on the edge, positive inside.
PAMTRI_HD float edge_value(const Quad& quad, int i, float x, float y) {
    return product(quad.edge_x[i], y - quad.y[i]) - product(quad.edge_y[i], x - quad.x[i]);
}

/// Whether the center of a pixel lies inside or on the outline.
PAMTRI_HD bool covers(const Quad& quad, int column, int row) {
    const float x = static_cast<float>(column) + 0.5f;
    const float y = static_cast<float>(row) + 0.5f;
    bool inside = quad.drawn;
    for (int i = 0; i < 4; ++i) inside = inside && edge_value(quad, i, x, y) >= 0.0f;
    return inside;
}

/// Columns [first, end) of a row.
struct Span {
    int first, end;
};

/// The pixels of one row that a quadrilateral covers: exactly those for which covers() holds.
///
/// Along a row each edge value is monotonic even in rounded arithmetic (every step of it is), so
/// what one edge admits is a run from the left or from the right end, and where the run stops can
/// be estimated by a division and then settled by asking edge_value itself.
PAMTRI_HD Span covered_span(const Quad& quad, int row, int size) {
    Span span{0, quad.drawn ? size : 0};
    const float y = static_cast<float>(row) + 0.5f;
    for (int i = 0; i < 4 && span.first < span.end; ++i) {
        const float slope = quad.edge_y[i];
        const auto admits = [&](int column) {
            return edge_value(quad, i, static_cast<float>(column) + 0.5f, y) >= 0.0f;
        };
        if (slope == 0.0f) {
            if (!admits(0)) span.end = span.first;
            continue;
        }
        const float crossing = quad.x[i] + product(quad.edge_x[i], y - quad.y[i]) / slope;
        int stop = 0;  // NaN and everything left of the raster
        if (crossing >= static_cast<float>(size)) {
            stop = size;
        } else if (crossing > 0.0f) {
            stop = static_cast<int>(crossing);
        }
        if (slope > 0.0f) {  // admitted: columns before `stop`
            while (stop > 0 && !admits(stop - 1)) --stop;
            while (stop < size && admits(stop)) ++stop;
            span.end = stop < span.end ? stop : span.end;
        } else {  // admitted: columns from `stop` on
            while (stop > 0 && admits(stop - 1)) --stop;
            while (stop < size && !admits(stop)) ++stop;
            span.first = stop > span.first ? stop : span.first;
        }
    }
    if (span.end < span.first) span.end = span.first;
    return span;
}

}  // namespace pamtri
