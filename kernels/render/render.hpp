// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The steps of a picture. Arrays in C order, no checks (the caller has made them), one thread.
#pragma once

#include "scene.hpp"

namespace pamtri::render {

/// Draw a mesh into samples that may hold others: the nearest is kept.
///
/// @param screen (vertex_count, 3): x, y in samples, 1 / depth; not positive behind the camera,
/// where
///     the whole triangle is left out.
void raster(const Mesh& mesh, const double* screen, std::uint8_t instance, const Samples& samples);

/// Draw the heights of a mesh toward the sun into a map of them: the highest is kept.
///
/// @param vertices (vertex_count, 3): x, y in cells of the map, height in meters.
void sun_map(const float* vertices, const int* triangles, std::size_t triangle_count, int side,
             float* depths);

/// Color the samples that show one instance: out is (height, width, 4), the fourth being coverage.
/// Blocks of 2 x 2 samples that show one smooth place of one material are colored once.
void shade(const Mesh& mesh, const Samples& samples, std::uint8_t instance, const Camera& camera,
           const Light& light, const Surface& surface, const Surroundings& surroundings,
           const Shadows& shadows, float* out);

/// Color of the ground at a point of the road's frame, before it is lit; `footprint` is the size of
/// a sample there in meters.
Vec3 ground_color(const Road& road, const Noise& noise, float u, float v, float footprint);

/// Ground, sky and what stands beside the road.
///
/// @param covered (height, width), 255 where a vehicle hides everything; null: nowhere.
/// @param color (height, width, 3)
/// @param shadow (height, width): by how much the vehicles darken it, 1 where they do not.
void background(const Backdrop& scene, int width, int height, const std::uint8_t* covered,
                float* color, float* shadow);

}  // namespace pamtri::render
