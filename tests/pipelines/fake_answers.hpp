// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What networks for tests say of themselves and of a picture, on the host and on a device alike.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "manifest.hpp"
#include "network.hpp"

namespace test {

constexpr int kSide = 64;

inline pamtri::engines::Manifest fake_manifest(const std::string& name) {
    pamtri::engines::Manifest manifest;
    manifest.name = name;
    manifest.embedding_space = "space-of-fakes";
    manifest.trained = true;
    manifest.colors = {"red", "green", "blue"};
    manifest.types = {"car", "truck"};
    const auto output = [](const char* name, std::vector<std::int64_t> item) {
        return pamtri::engines::TensorSpec{name, pamtri::engines::ElementType::kFloat32, item};
    };
    manifest.outputs = {output("embedding", {4}), output("color", {3}), output("type", {2}),
                        output("keypoints", {2, 3}), output("quality", {1})};
    return manifest;
}

/// Shares of the channels' sums, each value plus 1, and the first red value; `value(pixel,
/// channel)` is 0 to 255.
template <typename Value>
pamtri::engines::Answer fake_answer(const Value& value) {
    double sums[3] = {};
    for (int i = 0; i < kSide * kSide; ++i)
        for (int c = 0; c < 3; ++c) sums[c] += value(i, c) + 1;
    const double total = sums[0] + sums[1] + sums[2];
    pamtri::engines::Answer answer;
    for (const double sum : sums) answer.color.push_back(static_cast<float>(sum / total));
    answer.embedding = answer.color;
    answer.embedding.push_back(static_cast<float>(value(0, 0) / 255.0));
    answer.type = {0.75f, 0.25f};
    answer.keypoints = {0.25f, 0.5f, 0.9f, 0.75f, 0.5f, 0.8f};
    answer.quality = 0.5f;
    return answer;
}

}  // namespace test
