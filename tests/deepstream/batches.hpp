// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Batches of frames with objects, as a muxer, a detector and a tracker leave them.
#pragma once

#include <nvdsmeta.h>

#include <memory>
#include <string>
#include <vector>

#include "crop_rules.hpp"
#include "known.hpp"

namespace test {

struct BatchEnd {
    void operator()(NvDsBatchMeta* batch) const { nvds_destroy_batch_meta(batch); }
};
using Batch = std::unique_ptr<NvDsBatchMeta, BatchEnd>;

Batch new_batch(unsigned most = 16);

/// Add a frame of a source to a batch, as its next surface.
NvDsFrameMeta* add_frame(NvDsBatchMeta* batch, unsigned source, int number = 0);

/// Add an object to a frame.
NvDsObjectMeta* add_object(NvDsFrameMeta* frame, guint64 id, const pamtri::core::Box& box,
                           const std::string& label = "car");

/// Add an embedding as nvtracker does.
void add_tracker_reid(NvDsObjectMeta* object, std::vector<float> values);

/// What is known of a vehicle that was seen in so many views.
std::shared_ptr<const pamtri::gst::Known> some_known(int views = 1, std::size_t numbers = 8);

std::vector<NvDsFrameMeta*> frames_of(const NvDsBatchMeta* batch);
std::vector<NvDsObjectMeta*> objects_of(const NvDsFrameMeta* frame);
std::vector<NvDsUserMeta*> users_of(const NvDsUserMetaList* list, NvDsMetaType type);

}  // namespace test
