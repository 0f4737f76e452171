// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <vector>

#include "regions.hpp"

namespace pamtri::gst {

/// The detections of a buffer's GstAnalyticsRelationMeta, each with its tracking where it has one.
/// None where this was built with a GStreamer before 1.24, which has no such metadata.
std::vector<Region> detections_of(GstBuffer* buffer);

/// Whether a detection is one that a region tells of as well: detectors attach both.
bool repeats(const Region& detection, const Region& region);

}  // namespace pamtri::gst
