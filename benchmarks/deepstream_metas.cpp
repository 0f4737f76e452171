// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// How long the metas of a batch take: 16 sources with 20 vehicles each, embeddings of 512 numbers.
// Of fakes of DeepStream's library, whose pools allocate each piece anew.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "attach.hpp"
#include "batches.hpp"

namespace {

constexpr int kSources = 16, kVehicles = 20, kRounds = 500;

test::Batch filled() {
    test::Batch batch = test::new_batch(kSources);
    for (unsigned source = 0; source < kSources; ++source) {
        NvDsFrameMeta* frame = test::add_frame(batch.get(), source);
        for (guint64 id = 0; id < kVehicles; ++id) test::add_object(frame, id, {10, 20, 110, 80});
    }
    return batch;
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

}  // namespace

int main() {
    std::vector<std::shared_ptr<const pamtri::gst::Known>> known;
    for (int i = 0; i < kSources * kVehicles; ++i) known.push_back(test::some_known(i, 512));
    std::vector<double> attached, copied;
    const auto now = [] { return std::chrono::steady_clock::now(); };
    using Ms = std::chrono::duration<double, std::milli>;
    for (int round = 0; round < kRounds; ++round) {
        const test::Batch batch = filled();
        const auto begin = now();
        {
            pamtri::deepstream::Attacher attacher(batch.get(), {});
            std::size_t i = 0;
            for (NvDsFrameMeta* frame : test::frames_of(batch.get()))
                for (NvDsObjectMeta* object : test::objects_of(frame))
                    attacher.attach(object, known[i++]);
        }
        attached.push_back(Ms(now() - begin).count());
        const auto middle = now();
        const test::Batch copy(
            static_cast<NvDsBatchMeta*>(nvds_batch_meta_copy_func(batch.get(), nullptr)));
        copied.push_back(Ms(now() - middle).count());
    }
    std::printf(
        "%d batches of %d sources x %d vehicles: attached in %.3f ms (median), %.3f at most; "
        "copied in %.3f ms\n",
        kRounds, kSources, kVehicles, median(attached),
        *std::max_element(attached.begin(), attached.end()), median(copied));
}
