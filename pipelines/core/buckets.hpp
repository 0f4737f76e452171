// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace pamtri::core {

/// The batch sizes that one optimization profile of an engine takes.
struct BatchRange {
    int least = 1;
    int most = 1;
};

/// The batches that an engine is tuned for: any from `least` to `most`, best at `best`.
struct BatchProfile {
    int least = 1, best = 1, most = 1;
};

/// The profiles of every engine that is built: the first is what nvinfer uses, the others are for
/// CUDA graphs, which have one size each.
const std::vector<BatchProfile>& engine_profiles();

/// The profiles as the fact "profiles" of a fingerprint has them: "1/16/32 8 16 32".
std::string text_of(const std::vector<BatchProfile>& profiles);

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

/// A part of a batch and the size it is run at: `size - count` items are filled in and dropped.
struct Chunk {
    int start = 0;  ///< of its first item
    int count = 1;  ///< items of the batch
    int size = 1;   ///< that is computed
};

/// Cut a batch into chunks that hold each item once, in order: whole ones of the largest size, and
/// the rest as it is cheapest. A run costs as if three items came on top, for a small batch leaves
/// most of a GPU idle: less on a Jetson, more in a data center.
///
/// sizes: that are computed, ascending; the first may be any.
///
/// Throws InputError: no sizes, or one below 1.
std::vector<Chunk> chunks(const std::vector<int>& sizes, int count);

/// Index of the smallest bucket that holds `count` items; buckets.size() if none does.
std::size_t bucket_for(const std::vector<Bucket>& buckets, int count);

}  // namespace pamtri::core
