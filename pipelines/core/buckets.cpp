// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "buckets.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "errors.hpp"

namespace pamtri::core {
namespace {

constexpr double kOnTop = 3.0;  // of a run, in items

/// What runs cost, and their sizes, the larger ones first. Of equals the smaller sizes go before.
using Way = std::pair<double, std::vector<int>>;

/// The cheapest way to run so many items, fewer than the largest size.
std::vector<int> cheapest(const std::vector<int>& sizes, int count) {
    std::vector<Way> best(1);  // by the number of items
    for (int items = 1; items <= count; ++items) {
        Way least;
        for (const int size : sizes) {
            const Way& rest = best[static_cast<std::size_t>(std::max(items - size, 0))];
            Way way{kOnTop + size + rest.first, rest.second};
            way.second.insert(
                std::upper_bound(way.second.begin(), way.second.end(), size, std::greater<int>()),
                size);
            if (least.second.empty() || way < least) least = std::move(way);
        }
        best.push_back(std::move(least));
    }
    return best.back().second;
}

}  // namespace

const std::vector<BatchProfile>& engine_profiles() {
    static const std::vector<BatchProfile> profiles = {
        {1, 16, 32}, {8, 8, 8}, {16, 16, 16}, {32, 32, 32}};
    return profiles;
}

std::string text_of(const std::vector<BatchProfile>& profiles) {
    std::string text;
    for (const BatchProfile& profile : profiles) {
        const std::string best = std::to_string(profile.best);
        const bool one = profile.least == profile.best && profile.best == profile.most;
        text += text.empty() ? "" : " ";
        text +=
            one ? best
                : std::to_string(profile.least) + "/" + best + "/" + std::to_string(profile.most);
    }
    return text;
}

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

std::vector<Chunk> chunks(const std::vector<int>& sizes, int count) {
    if (sizes.empty() || *std::min_element(sizes.begin(), sizes.end()) < 1)
        throw InputError("a batch is cut into sizes of 1 or more; none was given, or one below 1.");
    const int largest = *std::max_element(sizes.begin(), sizes.end());
    std::vector<Chunk> cut;
    int start = 0;
    for (; count - start >= largest; start += largest) cut.push_back({start, largest, largest});
    for (const int size : cheapest(sizes, count - start)) {
        cut.push_back({start, std::min(size, count - start), size});
        start += cut.back().count;
    }
    return cut;
}

std::size_t bucket_for(const std::vector<Bucket>& buckets, int count) {
    const auto holds = [count](const Bucket& bucket) { return bucket.batch >= count; };
    const auto found = std::find_if(buckets.begin(), buckets.end(), holds);
    return static_cast<std::size_t>(found - buckets.begin());
}

}  // namespace pamtri::core
