// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// pamtritracks: puts tracks from a file on the frames of a video, where no detector and no tracker
// runs.
#include <gst/base/gstbasetransform.h>
#include <gst/video/video.h>

#include <cmath>
#include <memory>
#include <string>

#include "elements.hpp"
#include "errors.hpp"
#include "properties.hpp"
#include "regions.hpp"
#include "track_table.hpp"
#include "transform_class.hpp"

GST_DEBUG_CATEGORY_STATIC(pamtri_tracks_debug);
#define GST_CAT_DEFAULT pamtri_tracks_debug

namespace pamtri::gst {

namespace {

constexpr char kType[] = "vehicle";

enum { kLocation = 1, kObjectType };

struct TracksSettings {
    std::string location, type = kType;
};

const Members<TracksSettings> kMembers = {{kLocation, &TracksSettings::location},
                                          {kObjectType, &TracksSettings::type}};

bool set_setting(TracksSettings* settings, guint id, const GValue* value) {
    return set_member(kMembers, settings, id, value);
}

bool get_setting(const TracksSettings& settings, guint id, GValue* value) {
    return get_member(kMembers, settings, id, value);
}

struct State {
    TracksSettings settings;  // under the object's lock
    std::unique_ptr<TrackTable> table;
    GstVideoInfo info;
    guint64 next = 0;     // number of the next frame
    bool sought = false;  // a seek came: the frame's number is told by its time
};

using PamtriTracks = Transform<State>;
using PamtriTracksClass = TransformClass;

G_DEFINE_TYPE(PamtriTracks, pamtri_tracks, GST_TYPE_BASE_TRANSFORM)

PamtriTracks* tracks_of(gpointer object) { return static_cast<PamtriTracks*>(object); }

gboolean start(GstBaseTransform* base) {
    State* state = tracks_of(base)->state;
    state->next = 0;
    state->sought = false;
    const std::string location = settings_of<State>(base).location;
    if (location.empty()) {
        GST_ELEMENT_ERROR(base, RESOURCE, NOT_FOUND,
                          ("The property location is not set; give the table that 'pamtri tracks "
                           "FILE --output TABLE.csv' writes."),
                          (nullptr));
        return FALSE;
    }
    try {
        state->table = std::make_unique<TrackTable>(TrackTable::read(location));
    } catch (const core::InputError& error) {
        GST_ELEMENT_ERROR(base, RESOURCE, READ, ("%s", error.what()), (nullptr));
        return FALSE;
    }
    GST_INFO_OBJECT(base, "%zu boxes from %s", state->table->size(), location.c_str());
    return TRUE;
}

gboolean stop(GstBaseTransform* base) {
    tracks_of(base)->state->table.reset();
    return TRUE;
}

gboolean set_caps(GstBaseTransform* base, GstCaps* caps, GstCaps*) {
    return gst_video_info_from_caps(&tracks_of(base)->state->info, caps);
}

gboolean sink_event(GstBaseTransform* base, GstEvent* event) {
    if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP) tracks_of(base)->state->sought = true;
    return GST_BASE_TRANSFORM_CLASS(pamtri_tracks_parent_class)->sink_event(base, event);
}

/// Frames are counted as they come; after a seek, and on the way back, their time says which they
/// are.
guint64 number_of(GstBaseTransform* base, GstBuffer* buffer) {
    State* state = tracks_of(base)->state;
    const GstVideoInfo& info = state->info;
    if ((state->sought || base->segment.rate < 0) && GST_BUFFER_PTS_IS_VALID(buffer) &&
        GST_VIDEO_INFO_FPS_N(&info) > 0) {
        const guint64 time =
            gst_segment_to_stream_time(&base->segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
        if (GST_CLOCK_TIME_IS_VALID(time))
            state->next = gst_util_uint64_scale_round(
                time, static_cast<guint64>(GST_VIDEO_INFO_FPS_N(&info)),
                GST_SECOND * static_cast<guint64>(GST_VIDEO_INFO_FPS_D(&info)));
    }
    state->sought = false;
    return state->next++;
}

GstFlowReturn transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
    State* state = tracks_of(base)->state;
    const core::FrameSize frame{GST_VIDEO_INFO_WIDTH(&state->info),
                                GST_VIDEO_INFO_HEIGHT(&state->info)};
    for (const TableRow& row : state->table->at(number_of(base, buffer), frame)) {
        GST_LOG_OBJECT(base, "region track=%" G_GUINT64_FORMAT " x1=%g", row.track_id, row.box.x1);
        add_region(buffer, {row.track_id, row.box, state->settings.type, row.last, -1}, frame);
    }
    return GST_FLOW_OK;
}

void pamtri_tracks_init(PamtriTracks* self) {
    initialize(self);
    gst_video_info_init(&self->state->info);
}

void pamtri_tracks_class_init(PamtriTracksClass* type) {
    GstBaseTransformClass* base = GST_BASE_TRANSFORM_CLASS(type);
    set_up_in_place<State>(
        base, {"Tracks from a file",
               "Puts the tracks of a file on the frames of a video, as regions of interest",
               "video/x-raw(ANY)"});
    GObjectClass* object = G_OBJECT_CLASS(type);
    g_object_class_install_property(
        object, kLocation,
        g_param_spec_string("location", "Location",
                            "Table of tracks, as 'pamtri tracks FILE --output TABLE.csv' writes it "
                            "of files of MOTChallenge, KITTI, DeepStream's nvreplay and others",
                            nullptr, kReady));
    g_object_class_install_property(
        object, kObjectType,
        g_param_spec_string("object-type", "Object type",
                            "What the regions are called, which 'classes' of pamtri chooses by",
                            kType, kReady));
    base->start = start;
    base->stop = stop;
    base->set_caps = set_caps;
    base->sink_event = sink_event;
    base->transform_ip = transform_ip;
    GST_DEBUG_CATEGORY_INIT(pamtri_tracks_debug, "pamtritracks", 0, "tracks from a file");
}

}  // namespace

GType tracks_element_type() { return pamtri_tracks_get_type(); }

}  // namespace pamtri::gst
