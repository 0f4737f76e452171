// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crop_rules.hpp"
#include "known.hpp"
#include "vehicle.h"

namespace pamtri::gst {

/// How far a vehicle is known; null for nothing yet.
PamtriVehicleState state_of(const Known* known);

/// What is known of a vehicle, as the C interface tells it; null for nothing yet. Its pointers are
/// valid as long as `known` and `object_type`.
PamtriVehicle view_of(guint64 track_id, const core::Box& box, const char* object_type,
                      const Known* known);

}  // namespace pamtri::gst
