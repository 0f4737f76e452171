// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <string>
#include <vector>

#include "known.hpp"
#include "manifest.hpp"
#include "regions.hpp"

namespace pamtri::gst {

/// The detections of a buffer's GstAnalyticsRelationMeta, each with its tracking where it has one.
/// None where this was built with a GStreamer before 1.24, which has no such metadata.
std::vector<Region> detections_of(GstBuffer* buffer);

/// Relate what is known of a vehicle to its detection on a writable buffer: two classifications,
/// color then type, each with the probabilities of all classes, and where this was built with
/// GStreamer 1.28 or later the embedding, as a tensor "pamtri-embedding" of float32. Does nothing
/// before 1.24.
///
/// @param detection number of the detection, as in Region
void tell_detection(GstBuffer* buffer, gint64 detection, const Known& known,
                    const engines::Manifest& manifest);

/// Add a detection of whole pixels to a writable buffer; return its number, -1 for none, as before
/// 1.24.
gint64 add_found(GstBuffer* buffer, const core::Box& box, const std::string& type,
                 double confidence);

/// Whether a detection is one that a region tells of as well: detectors attach both.
bool repeats(const Region& detection, const Region& region);

}  // namespace pamtri::gst
