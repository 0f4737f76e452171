// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "stream.hpp"

#include <limits>
#include <utility>

#include "analytics.hpp"
#include "vehicle_meta.hpp"
#include "video_frame.hpp"

namespace pamtri::gst {

namespace {

constexpr std::size_t kDepth = 1;  // batches that wait behind the one that is embedded
// GStreamer's stamps are of one clock: a leap forward is a gap, and tracks may expire in it.
constexpr double kNoLeap = std::numeric_limits<double>::infinity();

/// The regions of a buffer, by their places.
std::vector<GstVideoRegionOfInterestMeta*> metas_of(GstBuffer* buffer) {
    std::vector<GstVideoRegionOfInterestMeta*> found;
    gpointer state = nullptr;
    while (GstMeta* meta = gst_buffer_iterate_meta_filtered(
               buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))
        found.push_back(reinterpret_cast<GstVideoRegionOfInterestMeta*>(meta));
    return found;
}

/// What is known as a parameter of a region; the embedding is float32 in the machine's order.
GstStructure* parameter_of(const Known& known) {
    GBytes* embedding = g_bytes_new(known.embedding.data(), known.embedding.size() * sizeof(float));
    GstStructure* structure =
        gst_structure_new("pamtri", "views", G_TYPE_INT, known.views, "passed", G_TYPE_BOOLEAN,
                          static_cast<gboolean>(known.passed), "embedding", G_TYPE_BYTES, embedding,
                          "embedding-space", G_TYPE_STRING, known.embedding_space.c_str(), nullptr);
    g_bytes_unref(embedding);
    if (known.quality >= 0)
        gst_structure_set(structure, "quality", G_TYPE_DOUBLE, known.quality, nullptr);
    if (!known.color.empty())
        gst_structure_set(structure, "color", G_TYPE_STRING, known.color.c_str(),
                          "color-probability", G_TYPE_DOUBLE, known.color_probability, nullptr);
    if (!known.type.empty())
        gst_structure_set(structure, "type", G_TYPE_STRING, known.type.c_str(), "type-probability",
                          G_TYPE_DOUBLE, known.type_probability, nullptr);
    return structure;
}

std::vector<Seen> seen_of(const std::vector<Region>& regions) {
    std::vector<Seen> seen;
    for (const Region& region : regions) seen.push_back({region.track_id, region.box, region.last});
    return seen;
}

}  // namespace

Stream::Stream(const Settings& settings, std::shared_ptr<engines::Network> network,
               std::shared_ptr<Dump> dump)
    : settings_(settings),
      classes_(settings.class_list()),
      network_(std::move(network)),
      dump_(std::move(dump)),
      lanes_(
          [network = network_, dump = dump_](const std::vector<Picture>& crops) {
              return Dump::described(
                  dump.get(), crops, network->manifest(),
                  [&](std::vector<float>* images) { return describe(*network, crops, images); });
          },
          kDepth, settings.sync),
      journal_(settings.journal_spec(network_->manifest().trained), network_->manifest(), *lane_) {
    gst_video_info_init(&info_);
}

void Stream::set_form(const GstVideoInfo& info) {
    info_ = info;
    if (clock_) return;  // it goes on
    std::optional<double> rate;
    if (GST_VIDEO_INFO_FPS_N(&info) > 0)
        rate = static_cast<double>(GST_VIDEO_INFO_FPS_N(&info)) / GST_VIDEO_INFO_FPS_D(&info);
    clock_.emplace(rate, kNoLeap);
}

bool Stream::take(GstBuffer* buffer, std::optional<double> stamp) {
    const double time_s = clock_->tick(stamp).time_s;
    const core::FrameSize size{GST_VIDEO_INFO_WIDTH(&info_), GST_VIDEO_INFO_HEIGHT(&info_)};
    remove_vehicles(buffer);
    const std::vector<Region> regions = regions_of(buffer, size, classes_);
    const std::vector<Seen> seen = seen_of(regions);
    if (regions.empty() && !classes_.empty() && left_out_.empty())
        for (const Region& other : regions_of(buffer, size, {})) left_out_ = other.type;
    if (regions.empty()) {
        FramePixels none;
        none.size = size;
        journal_.observe(none, time_s, seen);
    } else {
        GstVideoFrame frame;
        if (!gst_video_frame_map(
                &frame, &info_, buffer,
                static_cast<GstMapFlags>(GST_MAP_READ | GST_VIDEO_FRAME_MAP_FLAG_NO_REF)))
            return false;
        const std::unique_ptr<GstVideoFrame, void (*)(GstVideoFrame*)> mapped(
            &frame, gst_video_frame_unmap);
        const FramePixels pixels = pixels_of(frame);
        std::optional<Origin> origin;
        if (dump_ && dump_->has_room()) origin = Origin{0, journal_.counts().frames};
        HostCutter cutter(pixels, origin);
        attach(buffer, regions, journal_.observe(cutter, time_s, seen));
    }
    journal_.end_frame(time_s, seen);
    return true;
}

void Stream::attach(GstBuffer* buffer, const std::vector<Region>& regions,
                    const std::vector<std::shared_ptr<const Known>>& known) const {
    if (settings_.attach_to & kAttachMeta)
        for (std::size_t i = 0; i < regions.size(); ++i)
            add_vehicle(buffer, {regions[i].track_id, regions[i].box, regions[i].type, known[i]});
    if (settings_.attach_to & kAttachAnalytics)
        for (std::size_t i = 0; i < regions.size(); ++i)
            if (known[i])
                tell_detection(buffer, regions[i].detection, *known[i], network_->manifest());
    if (!(settings_.attach_to & kAttachRegion)) return;
    const std::vector<GstVideoRegionOfInterestMeta*> metas = metas_of(buffer);
    for (std::size_t i = 0; i < regions.size(); ++i)
        if (known[i] && regions[i].roi >= 0)
            gst_video_region_of_interest_meta_add_param(
                metas[static_cast<std::size_t>(regions[i].roi)], parameter_of(*known[i]));
}

void Stream::skip(std::optional<double> stamp) {
    if (clock_) journal_.end_frame(clock_->tick(stamp).time_s, {});
}

std::string Stream::only_left_out() const { return journal_.counts().sightings ? "" : left_out_; }

void Stream::cut() { journal_.abandon(); }

GstStructure* structure_of(const Counts& counts) {
    return gst_structure_new(
        "pamtri-stats", "frames", G_TYPE_UINT64, counts.frames, "sightings", G_TYPE_UINT64,
        counts.sightings, "embedded", G_TYPE_UINT64, counts.embedded, "late", G_TYPE_UINT64,
        counts.late, "repeated", G_TYPE_UINT64, counts.repeated, "events", G_TYPE_UINT64,
        counts.events, "short", G_TYPE_UINT64, counts.shorts, "unseen", G_TYPE_UINT64,
        counts.unseen, "unfinished", G_TYPE_UINT64, counts.unfinished, nullptr);
}

}  // namespace pamtri::gst
