// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "analytics.hpp"

#include <cmath>

#if defined(PAMTRI_ANALYTICS)
#include <gst/analytics/analytics.h>
#if __has_include(<gst/analytics/gstanalyticstensormtd.h>)
#define PAMTRI_TENSORS
#endif
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
        region.detection = found.id;
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

namespace {

using Names = std::optional<std::vector<std::string>>;

void add_classification(GstAnalyticsRelationMeta* meta, guint detection,
                        const std::vector<float>& probabilities, const Names& names) {
    if (!names || probabilities.empty() || names->size() != probabilities.size()) return;
    std::vector<gfloat> levels = probabilities;
    std::vector<GQuark> classes;
    for (const std::string& name : *names) classes.push_back(g_quark_from_string(name.c_str()));
    GstAnalyticsClsMtd added;
    if (gst_analytics_relation_meta_add_cls_mtd(meta, levels.size(), levels.data(), classes.data(),
                                                &added))
        gst_analytics_relation_meta_set_relation(meta, GST_ANALYTICS_REL_TYPE_RELATE_TO, detection,
                                                 added.id);
}

#if defined(PAMTRI_TENSORS)
void add_embedding(GstAnalyticsRelationMeta* meta, guint detection,
                   const std::vector<float>& embedding) {
    GstBuffer* values =
        gst_buffer_new_memdup(embedding.data(), embedding.size() * sizeof(embedding[0]));
    gsize size = embedding.size();
    GstAnalyticsTensorMtd added;
    if (gst_analytics_relation_meta_add_tensor_mtd_simple(
            meta, g_quark_from_static_string("pamtri-embedding"), GST_TENSOR_DATA_TYPE_FLOAT32,
            values, GST_TENSOR_DIM_ORDER_ROW_MAJOR, 1, &size, &added))
        gst_analytics_relation_meta_set_relation(meta, GST_ANALYTICS_REL_TYPE_RELATE_TO, detection,
                                                 added.id);
}
#endif

}  // namespace

void tell_detection(GstBuffer* buffer, gint64 detection, const Known& known,
                    const engines::Manifest& manifest) {
    GstAnalyticsRelationMeta* meta = gst_buffer_get_analytics_relation_meta(buffer);
    if (!meta || detection < 0) return;
    const auto number = static_cast<guint>(detection);
    add_classification(meta, number, known.color_probs, manifest.colors);
    add_classification(meta, number, known.type_probs, manifest.types);
#if defined(PAMTRI_TENSORS)
    if (!known.embedding.empty()) add_embedding(meta, number, known.embedding);
#endif
}

gint64 add_found(GstBuffer* buffer, const core::Box& box, const std::string& type,
                 double confidence) {
    GstAnalyticsRelationMeta* meta = gst_buffer_get_analytics_relation_meta(buffer);
    if (!meta) meta = gst_buffer_add_analytics_relation_meta(buffer);
    GstAnalyticsODMtd added;
    if (!meta || !gst_analytics_relation_meta_add_od_mtd(
                     meta, g_quark_from_string(type.c_str()), static_cast<gint>(box.x1),
                     static_cast<gint>(box.y1), static_cast<gint>(box.x2 - box.x1),
                     static_cast<gint>(box.y2 - box.y1), static_cast<gfloat>(confidence), &added))
        return -1;
    return added.id;
}
#else
std::vector<Region> detections_of(GstBuffer*) { return {}; }

gint64 add_found(GstBuffer*, const core::Box&, const std::string&, double) { return -1; }

void tell_detection(GstBuffer*, gint64, const Known&, const engines::Manifest&) {}
#endif

bool repeats(const Region& detection, const Region& region) {
    const core::Box &a = detection.box, &b = region.box;
    const auto near = [](double one, double other) { return std::abs(one - other) <= 1; };
    return detection.type == region.type && near(a.x1, b.x1) && near(a.y1, b.y1) &&
           near(a.x2, b.x2) && near(a.y2, b.y2);
}

}  // namespace pamtri::gst
