// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>
#include <gst/video/video.h>

#include <string>
#include <vector>

#include "crop_rules.hpp"
#include "vehicle.h"

namespace pamtri::gst {

/// A vehicle that something upstream found in a frame.
struct Region {
    guint64 track_id = PAMTRI_UNTRACKED;
    core::Box box;
    std::string type;
    bool last = false;  ///< the track is known not to be seen after this frame
    gint roi = -1;  ///< which of the buffer's regions it is, counted from 0; -1 for none of them
    gint64 detection = -1;  ///< number of its detection in GstAnalytics; -1 for none
};

/// Put a region on a writable buffer, as GstVideoRegionOfInterestMeta. What that has no room for,
/// 64-bit ids and fractions of pixels, stands in a parameter named "pamtri-track".
GstVideoRegionOfInterestMeta* add_region(GstBuffer* buffer, const Region& region,
                                         core::FrameSize frame);

/// Put what a detector has found on a writable buffer: a region without a track, with a parameter
/// "detection" as gvadetect writes it (label, label_id, confidence, and the box in parts of the
/// frame); where GStreamer is 1.24 or later also a detection of GstAnalytics, whose number is then
/// the region's id.
void add_detection(GstBuffer* buffer, const Region& region, double confidence, int label,
                   core::FrameSize frame);

/// The regions of a buffer of which a type is wanted; an empty list wants all.
///
/// The track is, in this order: the one of "pamtri-track", "id" of the parameter "object_id" (as
/// gvatrack writes it), the region's own id if above 0 and not the number of the detection that it
/// repeats; else the vehicle is untracked. Where
/// GStreamer is 1.24 or later, GstAnalytics' detections and trackings are read as well; one that a
/// region repeats is that region, which then has its track where it has none of its own.
std::vector<Region> regions_of(GstBuffer* buffer, core::FrameSize frame,
                               const std::vector<std::string>& types);

}  // namespace pamtri::gst
