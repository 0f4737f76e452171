// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "buckets.hpp"

#include <algorithm>
#include <map>

namespace pamtri::core {

std::vector<Bucket> buckets_of(const std::vector<BatchRange>& profiles) {
    std::map<int, int> profile_of;  // by batch size; the first to claim a size keeps it
    for (std::size_t i = 0; i < profiles.size(); ++i) {
        if (profiles[i].least == profiles[i].most) {
            profile_of.emplace(profiles[i].most, static_cast<int>(i));
        }
    }
    for (std::size_t i = 0; i < profiles.size(); ++i) {
        const BatchRange range = profiles[i];
        profile_of.emplace(range.least, static_cast<int>(i));
        for (int size = 1; size < range.most; size *= 2) {
            if (size > range.least) profile_of.emplace(size, static_cast<int>(i));
        }
        profile_of.emplace(range.most, static_cast<int>(i));
    }
    std::vector<Bucket> buckets;
    for (const auto& [batch, profile] : profile_of) buckets.push_back({batch, profile});
    return buckets;
}

std::size_t bucket_for(const std::vector<Bucket>& buckets, int count) {
    const auto holds = [count](const Bucket& bucket) { return bucket.batch >= count; };
    const auto found = std::find_if(buckets.begin(), buckets.end(), holds);
    return static_cast<std::size_t>(found - buckets.begin());
}

}  // namespace pamtri::core
