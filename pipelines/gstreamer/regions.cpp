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
constexpr double kMoved = 2;  // pixels of the frame in which a region was found

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

/// The id in the parameter that trackers add to a detector's region.
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
    return PAMTRI_UNTRACKED;
}

core::Box box_of(const GstVideoRegionOfInterestMeta* meta) {
    return {static_cast<double>(meta->x), static_cast<double>(meta->y),
            static_cast<double>(meta->x) + meta->w, static_cast<double>(meta->y) + meta->h};
}

/// Whether a tracker has left a region where it was found; whole pixels, scaled or not, differ.
bool is_unmoved(const GstStructure* track, const core::Box& found, const core::Box& now,
                core::FrameSize frame) {
    gint width = 1, height = 1;
    gst_structure_get(track, "width", G_TYPE_INT, &width, "height", G_TYPE_INT, &height, nullptr);
    const double scale = std::max({1.0, static_cast<double>(frame.width) / width,
                                   static_cast<double>(frame.height) / height});
    const auto near = [scale](double one, double other) {
        return std::abs(one - other) <= kMoved * scale;
    };
    return near(found.x1, now.x1) && near(found.y1, now.y1) && near(found.x2, now.x2) &&
           near(found.y2, now.y2);
}

/// A region's own id, where nothing else tells its track; 0, which stands where nobody gave one.
gint own_id(GstVideoRegionOfInterestMeta* meta) {
    const bool told = gst_video_region_of_interest_meta_get_param(meta, kTrack) ||
                      track_of(meta) != PAMTRI_UNTRACKED;
    return told ? 0 : std::max(meta->id, 0);
}

Region region_of(GstVideoRegionOfInterestMeta* meta, core::FrameSize frame) {
    Region region;
    region.type = meta->roi_type ? g_quark_to_string(meta->roi_type) : "";
    const GstStructure* track = gst_video_region_of_interest_meta_get_param(meta, kTrack);
    const core::Box box = box_of(meta);
    if (track && read_exact(track, frame, &region)) {
        if (region.track_id != PAMTRI_UNTRACKED) return region;
        region.track_id = track_of(meta);
        if (!is_unmoved(track, region.box, box, frame)) region.box = box;
        return region;
    }
    region.track_id = track_of(meta);
    if (const gint id = own_id(meta)) region.track_id = static_cast<guint64>(id);
    region.box = box;
    return region;
}

}  // namespace

GstVideoRegionOfInterestMeta* add_region(GstBuffer* buffer, const Region& region,
                                         core::FrameSize frame) {
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
    return meta;
}

void add_detection(GstBuffer* buffer, const Region& region, double confidence, int label,
                   core::FrameSize frame) {
    GstVideoRegionOfInterestMeta* meta = add_region(buffer, region, frame);
    const double wide = frame.width, high = frame.height;
    gst_video_region_of_interest_meta_add_param(
        meta,
        gst_structure_new("detection", "label", G_TYPE_STRING, region.type.c_str(), "label_id",
                          G_TYPE_INT, label, "confidence", G_TYPE_DOUBLE, confidence, "x_min",
                          G_TYPE_DOUBLE, region.box.x1 / wide, "x_max", G_TYPE_DOUBLE,
                          region.box.x2 / wide, "y_min", G_TYPE_DOUBLE, region.box.y1 / high,
                          "y_max", G_TYPE_DOUBLE, region.box.y2 / high, nullptr));
    const gint64 number = add_found(buffer, box_of(meta), region.type, confidence);
    if (number >= 0) meta->id = static_cast<gint>(number);
}

std::vector<Region> regions_of(GstBuffer* buffer, core::FrameSize frame,
                               const std::vector<std::string>& types) {
    std::vector<Region> regions;
    std::vector<gint> own;  // tracks that are ids of the regions themselves
    gpointer state = nullptr;
    gint index = 0;
    while (GstMeta* meta = gst_buffer_iterate_meta_filtered(
               buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)) {
        auto* interest = reinterpret_cast<GstVideoRegionOfInterestMeta*>(meta);
        Region region = region_of(interest, frame);
        region.roi = index++;
        if (!is_wanted(region.type, types)) continue;
        regions.push_back(std::move(region));
        own.push_back(own_id(interest));
    }
    for (Region& region : detections_of(buffer)) {
        if (!is_wanted(region.type, types)) continue;
        const auto same =
            std::find_if(regions.begin(), regions.end(), [&region](const Region& known) {
                return known.detection < 0 && repeats(region, known);
            });
        if (same == regions.end()) {
            regions.push_back(std::move(region));
            own.push_back(0);
            continue;
        }
        same->detection = region.detection;
        // gvadetect pairs them so: the region's id is no track.
        const gint id = own[static_cast<std::size_t>(same - regions.begin())];
        if (id > 0 && id == region.detection) same->track_id = PAMTRI_UNTRACKED;
        same->last = same->last || region.last;
        if (same->track_id == PAMTRI_UNTRACKED) same->track_id = region.track_id;
    }
    return regions;
}

}  // namespace pamtri::gst
