// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

namespace pamtri::core {

/// The batch sizes that one optimization profile of an engine takes.
struct BatchRange {
    int least = 1;
    int most = 1;
};

/// A batch size that is really computed, and the profile that computes it.
struct Bucket {
    int batch = 1;
    int profile = 0;
};

/// The batch sizes worth preparing, ascending, each with the profile that is tuned for it.
///
/// A profile for one size alone is a bucket of that size. Those for a range fill the gaps: their
/// least and most, and the powers of two between, where no profile for one size exists.
std::vector<Bucket> buckets_of(const std::vector<BatchRange>& profiles);

/// Index of the smallest bucket that holds `count` items; buckets.size() if none does.
std::size_t bucket_for(const std::vector<Bucket>& buckets, int count);

}  // namespace pamtri::core
