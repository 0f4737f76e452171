// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <memory>
#include <string>
#include <vector>

#include "crop_rules.hpp"
#include "known.hpp"
#include "vehicle.h"

namespace pamtri::gst {

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
