// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The operations on host memory: arrays in C order, no checks (the caller has made them). Each uses
// up to threads() threads and returns when the result is complete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "pamtri/segments.hpp"
#include "pamtri/stack.hpp"

namespace pamtri::cpu {

/// heatmaps (maps, side, side) -> keypoints (maps, 3).
void decode(const float* heatmaps, std::size_t maps, int side, bool crop_units, float* keypoints);

/// Which keypoints make which segments, and how sure they must be.
struct SegmentRule {
    const int* corners;  // (count, 4) rows of a vehicle's keypoints
    std::size_t count;
    float threshold;
};

/// keypoints (vehicles, per_vehicle, 3) -> (vehicles, rule.count, size, size) of 0 and 1.
void segments(const float* keypoints, std::size_t vehicles, std::size_t per_vehicle,
              const SegmentRule& rule, int size, float* out);

/// Fill one row of a raster: `inside` where the quadrilateral covers it, `outside` elsewhere.
void draw_row(const Quad& quad, int row, int size, float outside, float inside, float* target);

/// What goes on the stack, channel group by channel group; absent groups have no channels.
struct StackInputs {
    std::size_t vehicles;
    int size;             // side of the pictures
    const float* images;  // (vehicles, 3, size, size), 0..255
    Affine rgb[3];
    Affine extra;
    const float* heatmaps;  // (vehicles, heatmap_count, size / 4, size / 4)
    std::size_t heatmap_count;
    const float* segments;   // (vehicles, rule.count, size, size); null: drawn from keypoints
    const float* keypoints;  // (vehicles, per_vehicle, 3)
    std::size_t per_vehicle;
    SegmentRule rule;
};

/// -> (vehicles, 3 + heatmap_count + rule.count, size, size), normalized.
void stack(const StackInputs& inputs, float* out);

/// A picture of 8-bit RGB (or BGR) pixels; rows may be further apart than they are long.
struct Picture {
    const std::uint8_t* pixels;
    std::ptrdiff_t row_bytes;
    int width, height;
};

/// Width and height of pictures, in pixels.
struct Size {
    int width, height;
};

/// pictures -> (count, 3, height, width) of whole numbers 0..255. swap_channels: third channel
/// first.
void resize(const std::vector<Picture>& pictures, Size size, bool swap_channels, float* out);

/// pictures -> (count): detail over contrast of each, 0 without contrast.
void sharpness(const std::vector<Picture>& pictures, bool swap_channels, double* out);

/// Cosines of some of a first set, as rows, with some of a second. Scratch: they are bounded to 1.
struct CosineTile {
    float* cosines;
    std::size_t rows, columns;
    int first_row, first_column;  // numbers of the first of each in its set
};

/// The most alike so far of each row's: its cosine, and its number in the second set.
struct NearestOfRows {
    float* best;
    int* columns;
};

/// The same of each column.
struct NearestOfColumns {
    float* best;
    int* rows;
};

/// Note what a tile has that is more alike; of equals the one noted first stays, then the first.
/// On the calling thread alone: tiles are worked on side by side.
void note_nearest(const CosineTile& tile, NearestOfRows of_rows, NearestOfColumns of_columns);

}  // namespace pamtri::cpu
