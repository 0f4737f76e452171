// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Detections and answers as GstAnalytics, with GStreamer 1.24 or later.
#if defined(PAMTRI_ANALYTICS)
#include <gst/analytics/analytics.h>

#include "harness.hpp"
#include "regions.hpp"

using namespace test;
using pamtri::gst::Region;

namespace {

constexpr char kTakesSmall[] = "pamtri bundle=fake sync=true batch=1 min-side=8";

Buffer detected(bool tracked, bool lost = false) {
    Buffer buffer = frame(kRgb);
    GstAnalyticsRelationMeta* meta = gst_buffer_add_analytics_relation_meta(buffer.get());
    GstAnalyticsODMtd detection;
    EXPECT(gst_analytics_relation_meta_add_od_mtd(meta, g_quark_from_string("car"), 40, 50, 100, 80,
                                                  0.9f, &detection));
    if (tracked) {
        GstAnalyticsTrackingMtd tracking;
        EXPECT(gst_analytics_relation_meta_add_tracking_mtd(meta, 12345678901ull, 0, &tracking));
        if (lost) EXPECT(gst_analytics_tracking_mtd_set_lost(&tracking));
        EXPECT(gst_analytics_relation_meta_set_relation(meta, GST_ANALYTICS_REL_TYPE_RELATE_TO,
                                                        detection.id, tracking.id));
    }
    return buffer;
}

}  // namespace

TEST(detections_are_vehicles_and_their_trackings_name_the_track) {
    for (const bool lost : {false, true}) {
        const auto found = pamtri::gst::regions_of(detected(true, lost).get(), {320, 240}, {"car"});
        EXPECT(found.size() == 1 && found[0].track_id == 12345678901ull && found[0].roi == -1);
        EXPECT(found[0].box.x1 == 40 && found[0].box.y2 == 130 && found[0].last == lost);
        EXPECT(found[0].detection >= 0 && found[0].type == "car");
    }
    EXPECT(pamtri::gst::regions_of(detected(true).get(), {320, 240}, {"bus"}).empty());
    const auto untracked = pamtri::gst::regions_of(detected(false).get(), {320, 240}, {});
    EXPECT(untracked.size() == 1 && untracked[0].track_id == PAMTRI_UNTRACKED);
}

TEST(a_region_that_a_detection_repeats_is_one_vehicle_with_the_tracking) {
    const Buffer buffer = detected(true);
    gst_buffer_add_video_region_of_interest_meta(buffer.get(), "car", 40, 50, 100, 80);
    const auto found = pamtri::gst::regions_of(buffer.get(), {320, 240}, {});
    EXPECT(found.size() == 1 && found[0].roi == 0 && found[0].detection >= 0);
    EXPECT(found[0].track_id == 12345678901ull);
}

TEST(the_id_of_a_region_that_is_the_number_of_its_detection_is_no_track) {
    for (const bool tracked : {false, true}) {
        const Buffer buffer = detected(tracked);
        auto* region =
            gst_buffer_add_video_region_of_interest_meta(buffer.get(), "car", 140, 150, 60, 40);
        GstAnalyticsODMtd second;
        EXPECT(gst_analytics_relation_meta_add_od_mtd(
            gst_buffer_get_analytics_relation_meta(buffer.get()), g_quark_from_string("car"), 140,
            150, 60, 40, 0.9f, &second));
        EXPECT(second.id > 0);
        region->id = static_cast<gint>(second.id);
        EXPECT(pamtri::gst::regions_of(buffer.get(), {320, 240}, {})[0].track_id ==
               PAMTRI_UNTRACKED);
        region->id += 100;
        EXPECT(pamtri::gst::regions_of(buffer.get(), {320, 240}, {})[0].track_id ==
               static_cast<guint64>(region->id));
        region->id = static_cast<gint>(second.id);
        gst_video_region_of_interest_meta_add_param(
            region, gst_structure_new("object_id", "id", G_TYPE_INT, region->id, nullptr));
        EXPECT(pamtri::gst::regions_of(buffer.get(), {320, 240}, {})[0].track_id ==
               static_cast<guint64>(region->id));
    }
}

TEST(what_a_detector_finds_is_a_detection_too_with_the_number_of_its_region) {
    const Buffer buffer = frame(kRgb);
    for (const double left : {20.5, 120.5}) {
        Region region;
        region.type = "car";
        region.box = {left, 40.25, left + 60, 90.5};
        pamtri::gst::add_detection(buffer.get(), region, 0.75, 2, {320, 240});
    }
    const auto found = pamtri::gst::regions_of(buffer.get(), {320, 240}, {});
    EXPECT(found.size() == 2 && found[1].detection == 1 && found[1].roi == 1);
    EXPECT(found[1].track_id == PAMTRI_UNTRACKED && found[1].box.x1 == 120.5);
    GstAnalyticsRelationMeta* meta = gst_buffer_get_analytics_relation_meta(buffer.get());
    GstAnalyticsODMtd detection;
    gint x = 0, y = 0, width = 0, height = 0;
    gfloat confidence = 0;
    EXPECT(gst_analytics_relation_meta_get_od_mtd(meta, 1, &detection));
    EXPECT(gst_analytics_od_mtd_get_location(&detection, &x, &y, &width, &height, &confidence));
    EXPECT(x == 120 && y == 40 && width == 61 && height == 51 && confidence == 0.75f);
    GstAnalyticsTrackingMtd tracking;
    EXPECT(gst_analytics_relation_meta_add_tracking_mtd(meta, 7, 0, &tracking));
    EXPECT(gst_analytics_relation_meta_set_relation(meta, GST_ANALYTICS_REL_TYPE_RELATE_TO, 1,
                                                    tracking.id));
    EXPECT(pamtri::gst::regions_of(buffer.get(), {320, 240}, {})[1].track_id == 7);
}

TEST(answers_are_classifications_related_to_their_detection) {
    const Harness line = harness(kTakesSmall, kRgb);
    const Buffer out = through(line.get(), detected(true));
    EXPECT(vehicles(out.get()).size() == 1);
    GstAnalyticsRelationMeta* meta = gst_buffer_get_analytics_relation_meta(out.get());
    const auto found = pamtri::gst::regions_of(out.get(), {320, 240}, {});
    gpointer state = nullptr;
    GstAnalyticsClsMtd color, type, none;
    const auto next = [&](GstAnalyticsClsMtd* one) {
        return gst_analytics_relation_meta_get_direct_related(
            meta, static_cast<guint>(found[0].detection), GST_ANALYTICS_REL_TYPE_RELATE_TO,
            gst_analytics_cls_mtd_get_mtd_type(), &state, one);
    };
    EXPECT(next(&color) && next(&type) && !next(&none));
    EXPECT(gst_analytics_cls_mtd_get_length(&color) == 3);
    EXPECT(gst_analytics_cls_mtd_get_index_by_quark(&color, g_quark_from_string("blue")) == 2);
    EXPECT(gst_analytics_cls_mtd_get_level(&type, 0) == 0.75f);
    EXPECT(gst_analytics_cls_mtd_get_quark(&type, 1) == g_quark_from_string("truck"));
}

TEST(attach_to_leaves_analytics_alone) {
    const Harness line = harness(std::string(kTakesSmall) + " attach-to=meta", kRgb);
    const Buffer out = through(line.get(), detected(true));
    EXPECT(gst_analytics_relation_get_length(gst_buffer_get_analytics_relation_meta(out.get())) ==
           2);
}
#endif
