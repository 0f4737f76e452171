// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "detail.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace pamtri::gst {

namespace {

constexpr int kSide = 64;

/// What a line of the small picture is made of: source lines from `first` on, each with a weight.
struct Share {
    int first = 0;
    std::vector<float> weights;
};

/// Averages over areas, as cv2.INTER_AREA takes them.
std::vector<Share> areas(int extent) {
    const double scale = static_cast<double>(extent) / kSide;
    std::vector<Share> shares(kSide);
    for (int i = 0; i < kSide; ++i) {
        const double begin = i * scale,
                     end = std::min((i + 1) * scale, static_cast<double>(extent));
        Share& share = shares[static_cast<std::size_t>(i)];
        share.first = static_cast<int>(begin);
        for (int line = share.first; line < end - 1e-9; ++line) {
            const double part =
                std::min(line + 1.0, end) - std::max(static_cast<double>(line), begin);
            share.weights.push_back(static_cast<float>(part / (end - begin)));
        }
    }
    return shares;
}

/// Pairs of lines, as cv2.INTER_AREA takes them where a side grows.
std::vector<Share> pairs(int extent) {
    const double scale = static_cast<double>(extent) / kSide;
    std::vector<Share> shares(kSide);
    for (int i = 0; i < kSide; ++i) {
        int first = static_cast<int>(std::floor(i * scale));
        double fraction = (i + 1) - (first + 1) / scale;
        fraction = fraction <= 0 ? 0 : fraction - std::floor(fraction);
        if (first >= extent - 1) first = extent - 1, fraction = 0;
        Share& share = shares[static_cast<std::size_t>(i)];
        share.first = first;
        share.weights = {static_cast<float>(1 - fraction)};
        if (fraction > 0) share.weights.push_back(static_cast<float>(fraction));
    }
    return shares;
}

using Gray = std::array<int, kSide * kSide>;

Gray small_gray(const Picture& picture) {
    const bool shrinks = picture.width >= kSide && picture.height >= kSide;
    const std::vector<Share> columns = shrinks ? areas(picture.width) : pairs(picture.width);
    const std::vector<Share> rows = shrinks ? areas(picture.height) : pairs(picture.height);
    Gray gray{};
    std::array<float, 3 * kSide> line;
    for (int y = 0; y < kSide; ++y) {
        std::array<float, 3 * kSide> sums{};
        const Share& row = rows[static_cast<std::size_t>(y)];
        for (std::size_t k = 0; k < row.weights.size(); ++k) {
            const std::uint8_t* pixels =
                picture.rgb.data() + 3 * (static_cast<std::size_t>(row.first) + k) *
                                         static_cast<std::size_t>(picture.width);
            line.fill(0);
            for (std::size_t x = 0; x < kSide; ++x)
                for (std::size_t j = 0; j < columns[x].weights.size(); ++j) {
                    const std::uint8_t* pixel =
                        pixels + 3 * (static_cast<std::size_t>(columns[x].first) + j);
                    for (std::size_t c = 0; c < 3; ++c)
                        line[3 * x + c] += columns[x].weights[j] * pixel[c];
                }
            for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += row.weights[k] * line[i];
        }
        for (int x = 0; x < kSide; ++x) {
            const auto value = [&](int c) {
                return std::clamp(
                    static_cast<int>(std::lrint(sums[static_cast<std::size_t>(3 * x + c)])), 0,
                    255);
            };
            gray[static_cast<std::size_t>(y * kSide + x)] =
                (value(0) * 9798 + value(1) * 19235 + value(2) * 3735 + (1 << 14)) >> 15;
        }
    }
    return gray;
}

double deviation(const Gray& values) {
    double sum = 0, squares = 0;
    for (const int value : values) sum += value, squares += static_cast<double>(value) * value;
    const double count = static_cast<double>(values.size()), mean = sum / count;
    return std::sqrt(std::max(squares / count - mean * mean, 0.0));
}

}  // namespace

double detail(const Picture& picture) {
    const Gray gray = small_gray(picture);
    const double contrast = deviation(gray);
    if (contrast <= 0) return 0;
    const auto at = [&gray](int x, int y) {
        const auto inside = [](int i) { return i < 0 ? -i : (i >= kSide ? 2 * kSide - 2 - i : i); };
        return gray[static_cast<std::size_t>(inside(y) * kSide + inside(x))];
    };
    Gray edges{};
    for (int y = 0; y < kSide; ++y)
        for (int x = 0; x < kSide; ++x)
            edges[static_cast<std::size_t>(y * kSide + x)] =
                at(x - 1, y) + at(x + 1, y) + at(x, y - 1) + at(x, y + 1) - 4 * at(x, y);
    return deviation(edges) / contrast;
}

}  // namespace pamtri::gst
