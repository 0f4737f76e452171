// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "regions.hpp"

#include <gst/video/video.h>

#include <algorithm>
#include <cmath>

#include "analytics.hpp"

namespace pamtri::gst {

namespace {

constexpr char kTrack[] = "pamtri-track";

bool is_wanted(const std::string& type, const std::vector<std::string>& types) {
    return types.empty() || std::find(types.begin(), types.end(), type) != types.end();
}

guint pixels(double value) {
    return static_cast<guint>(std::clamp(value, 0.0, static_cast<double>(G_MAXINT)));
}

/// Read what `add_region` wrote; the frame may have been scaled since.
bool read_exact(const GstStructure* track, core::FrameSize frame, Region* region) {
    guint64 id = 0;
    gint width = 0, height = 0;
    gboolean last = FALSE;
    core::Box box;
    if (!gst_structure_get(track, "id", G_TYPE_UINT64, &id, "x1", G_TYPE_DOUBLE, &box.x1, "y1",
                           G_TYPE_DOUBLE, &box.y1, "x2", G_TYPE_DOUBLE, &box.x2, "y2",
                           G_TYPE_DOUBLE, &box.y2, "width", G_TYPE_INT, &width, "height",
                           G_TYPE_INT, &height, "last", G_TYPE_BOOLEAN, &last, nullptr) ||
        width < 1 || height < 1)
        return false;
    if (width != frame.width || height != frame.height) {
        const double wide = static_cast<double>(frame.width) / width;
        const double high = static_cast<double>(frame.height) / height;
        box = {box.x1 * wide, box.y1 * high, box.x2 * wide, box.y2 * high};
    }
    region->track_id = id;
    region->box = box;
    region->last = last;
    return true;
}

guint64 track_of(GstVideoRegionOfInterestMeta* meta) {
    const GstStructure* object = gst_video_region_of_interest_meta_get_param(meta, "object_id");
    gint id = 0;
    guint64 wide = 0;
    gint64 narrow = 0;
    if (object && gst_structure_get_int(object, "id", &id) && id > 0)
        return static_cast<guint64>(id);
    if (object && gst_structure_get_uint64(object, "id", &wide)) return wide;
    if (object && gst_structure_get_int64(object, "id", &narrow) && narrow >= 0)
        return static_cast<guint64>(narrow);
    // 0 is what stands there where nobody gave an id.
    return meta->id > 0 ? static_cast<guint64>(meta->id) : PAMTRI_UNTRACKED;
}

Region region_of(GstVideoRegionOfInterestMeta* meta, core::FrameSize frame) {
    Region region;
    region.type = meta->roi_type ? g_quark_to_string(meta->roi_type) : "";
    const GstStructure* track = gst_video_region_of_interest_meta_get_param(meta, kTrack);
    if (track && read_exact(track, frame, &region)) return region;
    region.track_id = track_of(meta);
    region.box = {static_cast<double>(meta->x), static_cast<double>(meta->y),
                  static_cast<double>(meta->x) + meta->w, static_cast<double>(meta->y) + meta->h};
    return region;
}

}  // namespace

void add_region(GstBuffer* buffer, const Region& region, core::FrameSize frame) {
    const core::Box& box = region.box;
    const guint left = pixels(std::floor(box.x1)), top = pixels(std::floor(box.y1));
    const guint right = pixels(std::ceil(box.x2)), bottom = pixels(std::ceil(box.y2));
    GstVideoRegionOfInterestMeta* meta = gst_buffer_add_video_region_of_interest_meta(
        buffer, region.type.c_str(), left, top, right - left, bottom - top);
    meta->id = region.track_id <= G_MAXINT ? static_cast<gint>(region.track_id) : 0;
    gst_video_region_of_interest_meta_add_param(
        meta,
        gst_structure_new(kTrack, "id", G_TYPE_UINT64, region.track_id, "x1", G_TYPE_DOUBLE, box.x1,
                          "y1", G_TYPE_DOUBLE, box.y1, "x2", G_TYPE_DOUBLE, box.x2, "y2",
                          G_TYPE_DOUBLE, box.y2, "width", G_TYPE_INT, frame.width, "height",
                          G_TYPE_INT, frame.height, "last", G_TYPE_BOOLEAN, region.last, nullptr));
}

std::vector<Region> regions_of(GstBuffer* buffer, core::FrameSize frame,
                               const std::vector<std::string>& types) {
    std::vector<Region> regions;
    gpointer state = nullptr;
    gint index = 0;
    while (GstMeta* meta = gst_buffer_iterate_meta_filtered(
               buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)) {
        Region region = region_of(reinterpret_cast<GstVideoRegionOfInterestMeta*>(meta), frame);
        region.roi = index++;
        if (is_wanted(region.type, types)) regions.push_back(std::move(region));
    }
    for (Region& region : detections_of(buffer)) {
        if (!is_wanted(region.type, types)) continue;
        const auto same =
            std::find_if(regions.begin(), regions.end(), [&region](const Region& known) {
                return known.detection < 0 && repeats(region, known);
            });
        if (same == regions.end()) {
            regions.push_back(std::move(region));
            continue;
        }
        same->detection = region.detection;
        same->last = same->last || region.last;
        if (same->track_id == PAMTRI_UNTRACKED) same->track_id = region.track_id;
    }
    return regions;
}

}  // namespace pamtri::gst
