// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "clones.hpp"
#include "operations.hpp"

namespace pamtri::cpu {
namespace {

constexpr std::size_t kLanes = 16;

/// Bound a row of cosines to 1 and compare it with each column's best. Returns the row's largest.
///
/// Lanes are kept apart, as a compiler makes vectors of that without being allowed to reorder.
PAMTRI_CLONES float note_row(float* cosines, std::size_t columns, int row, float* best, int* rows) {
    float lanes[kLanes];
    std::fill(lanes, lanes + kLanes, -std::numeric_limits<float>::infinity());
    const std::size_t whole = columns - columns % kLanes;
    for (std::size_t at = 0; at < whole; at += kLanes) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            const float raw = cosines[at + lane];
            const float cosine = raw > 1.0f ? 1.0f : raw;  // as rounding has it; equals stay equals
            cosines[at + lane] = cosine;
            lanes[lane] = cosine > lanes[lane] ? cosine : lanes[lane];
            const bool better = cosine > best[at + lane];
            best[at + lane] = better ? cosine : best[at + lane];
            rows[at + lane] = better ? row : rows[at + lane];
        }
    }
    float largest = *std::max_element(lanes, lanes + kLanes);
    for (std::size_t at = whole; at < columns; ++at) {
        cosines[at] = std::min(cosines[at], 1.0f);
        largest = std::max(largest, cosines[at]);
        if (cosines[at] > best[at]) {
            best[at] = cosines[at];
            rows[at] = row;
        }
    }
    return largest;
}

}  // namespace

void note_nearest(const CosineTile& tile, NearestOfRows of_rows, NearestOfColumns of_columns) {
    for (std::size_t row = 0; row < tile.rows; ++row) {
        float* cosines = tile.cosines + row * tile.columns;
        const float largest =
            note_row(cosines, tile.columns, tile.first_row + static_cast<int>(row), of_columns.best,
                     of_columns.rows);
        if (!(largest > of_rows.best[row])) continue;
        of_rows.best[row] = largest;
        of_rows.columns[row] =
            tile.first_column +
            static_cast<int>(std::find(cosines, cosines + tile.columns, largest) - cosines);
    }
}

}  // namespace pamtri::cpu
