// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The segments of PAMTRI's vehicle, which Python's pamtri_edge.vehicle takes from here.
#pragma once

#include <array>
#include <cstddef>

namespace pamtri::core {

/// A quadrilateral of the vehicle's surface: four keypoints, in order around the outline.
struct SegmentFacts {
    const char* name;
    std::array<int, 4> corners;
};

/// The 13 segments in channel order (I to XIII of the paper's figure 3).
constexpr std::array<SegmentFacts, 13> kSegments{{
    {"left_front_fender", {5, 15, 16, 17}},
    {"left_doors", {5, 6, 12, 15}},
    {"left_rear_fender", {6, 10, 11, 12}},
    {"right_front_fender", {23, 33, 34, 35}},
    {"right_doors", {23, 24, 30, 33}},
    {"right_rear_fender", {24, 28, 29, 30}},
    {"rear_face", {10, 11, 29, 28}},
    {"trunk", {11, 12, 30, 29}},
    {"rear_window", {12, 13, 31, 30}},
    {"roof", {13, 14, 32, 31}},
    {"windshield", {14, 15, 33, 32}},
    {"hood", {15, 16, 34, 33}},
    {"front_face", {16, 17, 35, 34}},
}};

constexpr std::size_t kKeypoints = 36;

/// A segment is drawn only if all four of its keypoints have at least this confidence.
constexpr float kSegmentConfidence = 0.5f;

}  // namespace pamtri::core
