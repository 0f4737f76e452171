// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "crop_rules.hpp"

namespace pamtri::core {

/// When a view is good enough, and when a further one is worth the network. The rule in words is
/// told by Python's `GateSpec`, whose defaults are these.
struct GateSpec {
    int min_side = 48;              ///< shorter side of a passing view, pixels
    int max_views = 32;             ///< most views embedded a track
    int reinfer_interval = 7;       ///< sightings from one embedded view to the next; 0: no turns
    double reinfer_growth = 0.125;  ///< part of all sightings of the track that these are at least
    double reinfer_overlap = 1;     ///< shared with its last embedded box, it has no turn; 1: off
    double max_overlap = 0.3;       ///< part of a passing view that another box covers at most
    double border_px = 2.0;         ///< a box this near to the frame's border counts as cut
    double cut_factor = 0.6;        ///< worth of a cut view
    double sharp = 0.6;             ///< detail over contrast of a sharp picture
    double blur_factor = 0.3;       ///< worth of a wholly blurred view
    double gain = 1.4;              ///< how much better a further view must be
    double last_gain = 1.1;         ///< how much better the last view must be
    double min_quality = 0.15;      ///< pose quality under which a view has not shown the vehicle

    /// Throws InputError if a number cannot be meant.
    void check() const;
};

/// What a view lacks; a set of bits, in the order in which they are told.
using Failings = std::uint8_t;
constexpr Failings kSmall = 1, kCut = 2, kCovered = 4, kPoseUnsure = 8;

/// The words of events for these, in the same order.
std::vector<std::string> failing_words(Failings failings);

/// One track in one frame, measured.
struct Sighting {
    double time_s = 0;
    Rectangle rectangle;
    bool cut = false;    ///< the frame's border cuts the vehicle
    double overlap = 0;  ///< largest part of it that another vehicle's box covers
};

/// A view's number, by which its pixels are known; none is given twice.
using Ticket = std::uint64_t;

/// A sighting that may be embedded, with what it is worth. Its pixels are the caller's to keep.
struct View {
    Ticket ticket = 0;
    Sighting sighting;
    double worth = 0;
    Failings failings = 0;
};

/// A sighting, and of which box of the frame.
struct Found {
    std::size_t index = 0;
    Sighting sighting;
};

/// Measure the boxes of one frame; those for which nothing can be cut are left out.
std::vector<Found> sightings(const std::vector<Box>& boxes, FrameSize frame, double time_s,
                             CropRule rule, double border_px);

/// For each box the largest part of it, inside the frame, that another covers; 0 for boxes without
/// an inside, which cover nothing either. Memory is that of the boxes; time that of the pairs which
/// share columns of the frame.
std::vector<double> overlaps(const std::vector<Box>& boxes, FrameSize frame);

/// What the picture tells of why a view does not pass: with untrained weights, size alone.
Failings failings_of(const Sighting& sighting, const GateSpec& spec, bool trained);

/// Worth of a view: see Python's `GateSpec`. `detail` is its detail over contrast, 0 or more.
double worth_of(const Sighting& sighting, const GateSpec& spec, double detail);

/// What it is worth at most, however sharp it is.
double ceiling_of(const Sighting& sighting, const GateSpec& spec);

}  // namespace pamtri::core
