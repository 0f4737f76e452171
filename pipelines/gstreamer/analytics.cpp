// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "analytics.hpp"

#include <cmath>

#if defined(PAMTRI_ANALYTICS)
#include <gst/analytics/analytics.h>
#endif

namespace pamtri::gst {

#if defined(PAMTRI_ANALYTICS)
std::vector<Region> detections_of(GstBuffer* buffer) {
    std::vector<Region> regions;
    GstAnalyticsRelationMeta* meta = gst_buffer_get_analytics_relation_meta(buffer);
    if (!meta) return regions;
    gpointer state = nullptr;
    GstAnalyticsODMtd found;
    while (gst_analytics_relation_meta_iterate(meta, &state, gst_analytics_od_mtd_get_mtd_type(),
                                               &found)) {
        gint x = 0, y = 0, width = 0, height = 0;
        if (!gst_analytics_od_mtd_get_location(&found, &x, &y, &width, &height, nullptr)) continue;
        Region region;
        region.box = {static_cast<double>(x), static_cast<double>(y),
                      static_cast<double>(x) + width, static_cast<double>(y) + height};
        const GQuark type = gst_analytics_od_mtd_get_obj_type(&found);
        if (type) region.type = g_quark_to_string(type);
        GstAnalyticsTrackingMtd tracking;
        guint64 id = 0;
        gboolean lost = FALSE;
        if (gst_analytics_relation_meta_get_direct_related(
                meta, found.id, GST_ANALYTICS_REL_TYPE_ANY,
                gst_analytics_tracking_mtd_get_mtd_type(), nullptr, &tracking) &&
            gst_analytics_tracking_mtd_get_info(&tracking, &id, nullptr, nullptr, &lost)) {
            region.track_id = id;
            region.last = lost;
        }
        regions.push_back(std::move(region));
    }
    return regions;
}
#else
std::vector<Region> detections_of(GstBuffer*) { return {}; }
#endif

bool repeats(const Region& detection, const Region& region) {
    const core::Box &a = detection.box, &b = region.box;
    const auto near = [](double one, double other) { return std::abs(one - other) <= 1; };
    return detection.type == region.type && near(a.x1, b.x1) && near(a.y1, b.y1) &&
           near(a.x2, b.x2) && near(a.y2, b.y2);
}

}  // namespace pamtri::gst
