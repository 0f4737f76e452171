// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "vehicle_view.hpp"

#include <string>
#include <vector>

namespace pamtri::gst {

namespace {

template <typename T>
const T* data_of(const std::vector<T>& values) {
    return values.empty() ? nullptr : values.data();
}

const gchar* text_of(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

guint32 size_of(const std::vector<float>& values) { return static_cast<guint32>(values.size()); }

}  // namespace

PamtriVehicleState state_of(const Known* known) {
    if (!known) return PAMTRI_VEHICLE_PENDING;
    return known->passed ? PAMTRI_VEHICLE_ANSWERED : PAMTRI_VEHICLE_BELOW_GATE;
}

PamtriVehicle view_of(guint64 track_id, const core::Box& box, const char* object_type,
                      const Known* known) {
    PamtriVehicle view{};
    view.track_id = track_id;
    view.x1 = box.x1;
    view.y1 = box.y1;
    view.x2 = box.x2;
    view.y2 = box.y2;
    view.object_type = object_type;
    view.state = state_of(known);
    view.quality = -1;
    if (!known) return view;
    view.views = known->views;
    view.quality = known->quality;
    view.color = text_of(known->color);
    view.color_probability = known->color_probability;
    view.type = text_of(known->type);
    view.type_probability = known->type_probability;
    view.embedding = data_of(known->embedding);
    view.embedding_size = size_of(known->embedding);
    view.color_probs = data_of(known->color_probs);
    view.color_count = size_of(known->color_probs);
    view.type_probs = data_of(known->type_probs);
    view.type_count = size_of(known->type_probs);
    view.keypoints = data_of(known->keypoints);
    view.keypoint_count = size_of(known->keypoints) / 3;
    view.embedding_space = text_of(known->embedding_space);
    view.bundle = text_of(known->bundle);
    return view;
}

}  // namespace pamtri::gst
