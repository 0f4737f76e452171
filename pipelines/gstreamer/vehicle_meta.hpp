// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <memory>
#include <string>
#include <vector>

#include "crop_rules.hpp"
#include "vehicle.h"

namespace pamtri::gst {

/// What is known of a vehicle. It does not change once it is made: buffers, copies of buffers and
/// threads share it.
struct Known {
    bool passed = false;  ///< a view passed the gate
    int views = 0;
    double quality = -1;
    double time_s = 0;  ///< of the best view
    std::string color, type;
    double color_probability = 0, type_probability = 0;
    std::vector<float> embedding, color_probs, type_probs;
    std::vector<float> keypoints;  ///< rows of x, y, confidence; in parts of the box
    std::string embedding_space, bundle;
};

/// One vehicle on one buffer.
struct Vehicle {
    guint64 track_id = PAMTRI_UNTRACKED;
    core::Box box;
    std::string object_type;
    std::shared_ptr<const Known> known;  ///< null while none of its views is embedded

    PamtriVehicleState state() const;
};

/// The metadata: a vehicle of its own for each copy of a buffer, with the box in its pixels.
struct VehicleMeta {
    GstMeta meta;
    Vehicle* vehicle;
};

/// Put a vehicle on a writable buffer.
void add_vehicle(GstBuffer* buffer, Vehicle vehicle);

/// The vehicles of a buffer, in the order in which they were put there.
std::vector<const Vehicle*> vehicles_of(GstBuffer* buffer);

/// Take all vehicles off a writable buffer.
void remove_vehicles(GstBuffer* buffer);

}  // namespace pamtri::gst
