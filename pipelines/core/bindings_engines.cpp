// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include <nanobind/stl/map.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <tuple>
#include <utility>

#include "bindings.hpp"
#include "buckets.hpp"
#include "fingerprint.hpp"
#include "processors.hpp"
#include "user_cache.hpp"

namespace pamtri::core {

using namespace nb::literals;

void bind_engines(nb::module_& m) {
    m.def("processor_grant", &processor_grant, "root"_a);
    m.def(
        "buckets_of",
        [](const std::vector<std::pair<int, int>>& profiles) {
            std::vector<BatchRange> ranges;
            for (const auto& [least, most] : profiles) ranges.push_back({least, most});
            std::vector<std::pair<int, int>> buckets;
            for (const Bucket& bucket : buckets_of(ranges))
                buckets.emplace_back(bucket.batch, bucket.profile);
            return buckets;
        },
        "profiles"_a);
    m.def(
        "chunks",
        [](const std::vector<int>& sizes, int count) {
            std::vector<std::tuple<int, int, int>> cut;
            for (const Chunk& chunk : chunks(sizes, count))
                cut.emplace_back(chunk.start, chunk.count, chunk.size);
            return cut;
        },
        "sizes"_a, "count"_a);
    m.def("fingerprint_digest", &digest_of, "facts"_a);
    m.def(
        "fingerprint_differences",
        [](const Fingerprint& facts, const Fingerprint& record) {
            return differences(facts, record, Likeness::kExact);
        },
        "facts"_a, "record"_a);
    m.def("jetson_release", &jetson_release, "text"_a);
    m.def("cache_folder", &cache_folder, "own"_a, "base"_a, "home"_a);
}

}  // namespace pamtri::core
