// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "vehicle_meta.hpp"

#include <gst/video/video.h>

#include <utility>

#include "vehicle_view.hpp"

namespace pamtri::gst {

namespace {

gboolean initialize(GstMeta* meta, gpointer, GstBuffer*) {
    reinterpret_cast<VehicleMeta*>(meta)->vehicle = new Vehicle;
    return TRUE;
}

void release(GstMeta* meta, GstBuffer*) {
    delete std::exchange(reinterpret_cast<VehicleMeta*>(meta)->vehicle, nullptr);
}

/// As the metadata of regions: copies follow every copy of a buffer, boxes follow its scaling.
gboolean transform(GstBuffer* target, GstMeta* meta, GstBuffer*, GQuark kind, gpointer data) {
    Vehicle vehicle = *reinterpret_cast<VehicleMeta*>(meta)->vehicle;
    if (GST_VIDEO_META_TRANSFORM_IS_SCALE(kind)) {
        const auto* sizes = static_cast<const GstVideoMetaTransform*>(data);
        const double wide = static_cast<double>(GST_VIDEO_INFO_WIDTH(sizes->out_info)) /
                            GST_VIDEO_INFO_WIDTH(sizes->in_info);
        const double high = static_cast<double>(GST_VIDEO_INFO_HEIGHT(sizes->out_info)) /
                            GST_VIDEO_INFO_HEIGHT(sizes->in_info);
        vehicle.box = {vehicle.box.x1 * wide, vehicle.box.y1 * high, vehicle.box.x2 * wide,
                       vehicle.box.y2 * high};
    } else if (!GST_META_TRANSFORM_IS_COPY(kind)) {
        return FALSE;
    }
    add_vehicle(target, std::move(vehicle));
    return TRUE;
}

const GstMetaInfo* meta_info() {
    static const GstMetaInfo* const info =
        gst_meta_register(pamtri_vehicle_meta_api_get_type(), "PamtriVehicleMeta",
                          sizeof(VehicleMeta), initialize, release, transform);
    return info;
}

}  // namespace

PamtriVehicleState Vehicle::state() const { return state_of(known.get()); }

void add_vehicle(GstBuffer* buffer, Vehicle vehicle) {
    GstMeta* meta = gst_buffer_add_meta(buffer, meta_info(), nullptr);
    *reinterpret_cast<VehicleMeta*>(meta)->vehicle = std::move(vehicle);
}

std::vector<const Vehicle*> vehicles_of(GstBuffer* buffer) {
    std::vector<const Vehicle*> found;
    gpointer state = nullptr;
    while (GstMeta* meta =
               gst_buffer_iterate_meta_filtered(buffer, &state, pamtri_vehicle_meta_api_get_type()))
        found.push_back(reinterpret_cast<VehicleMeta*>(meta)->vehicle);
    return found;
}

void remove_vehicles(GstBuffer* buffer) {
    gst_buffer_foreach_meta(
        buffer,
        [](GstBuffer*, GstMeta** meta, gpointer) -> gboolean {
            if ((*meta)->info->api == pamtri_vehicle_meta_api_get_type()) *meta = nullptr;
            return TRUE;
        },
        nullptr);
}

}  // namespace pamtri::gst

using pamtri::gst::Vehicle;

GType pamtri_vehicle_meta_api_get_type() {
    // As regions have them: elements that only change colors, orientation or size pass it on.
    static const gchar* tags[] = {GST_META_TAG_VIDEO_STR, GST_META_TAG_VIDEO_ORIENTATION_STR,
                                  GST_META_TAG_VIDEO_SIZE_STR, nullptr};
    static const GType type = gst_meta_api_type_register("PamtriVehicleMetaAPI", tags);
    return type;
}

guint pamtri_buffer_vehicle_count(GstBuffer* buffer) {
    g_return_val_if_fail(GST_IS_BUFFER(buffer), 0);
    return gst_buffer_get_n_meta(buffer, pamtri_vehicle_meta_api_get_type());
}

gboolean pamtri_buffer_get_vehicle(GstBuffer* buffer, guint index, PamtriVehicle* out, gsize size) {
    g_return_val_if_fail(GST_IS_BUFFER(buffer) && out, FALSE);
    if (size != sizeof(PamtriVehicle)) return FALSE;
    const std::vector<const Vehicle*> vehicles = pamtri::gst::vehicles_of(buffer);
    if (index >= vehicles.size()) return FALSE;
    const Vehicle& vehicle = *vehicles[index];
    *out = pamtri::gst::view_of(vehicle.track_id, vehicle.box,
                                vehicle.object_type.empty() ? nullptr : vehicle.object_type.c_str(),
                                vehicle.known.get());
    return TRUE;
}
