// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What the element nvpamtri knows of a vehicle, in DeepStream's metadata: the C interface for
// probes and elements behind it. Among the user metas of an object (obj_user_meta_list) look for
// the one whose base_meta.meta_type is pamtri_vehicle_user_meta_type(); its user_meta_data is a
// `const PamtriVehicle*` that lives as long as the meta.
#pragma once

#include <nvdsmeta.h>

#include "vehicle.h"

/// The name under which DeepStream knows the type of the meta.
#define PAMTRI_VEHICLE_USER_META "PAMTRI_EDGE.REID.VEHICLE"

/// The type, which DeepStream numbers at run time.
static inline NvDsMetaType pamtri_vehicle_user_meta_type(void) {
    gchar name[] = PAMTRI_VEHICLE_USER_META;
    return nvds_get_user_meta_type(name);
}

/// What is known of an object's vehicle; NULL where nothing is.
static inline const PamtriVehicle* pamtri_vehicle_of(const NvDsObjectMeta* object) {
    const NvDsMetaType type = pamtri_vehicle_user_meta_type();
    for (NvDsUserMetaList* at = object->obj_user_meta_list; at != NULL; at = at->next) {
        const NvDsUserMeta* user = (const NvDsUserMeta*)at->data;
        if (user->base_meta.meta_type == type) return (const PamtriVehicle*)user->user_meta_data;
    }
    return NULL;
}
