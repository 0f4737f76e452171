// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "transform_parts.hpp"

#include <exception>

#include "event_message.hpp"

namespace pamtri::gst {

namespace {

constexpr GstClockTime kLatencyStep = 50 * GST_MSECOND;

}  // namespace

void publish_events(GstBaseTransform* base, const std::vector<core::Event>& events, bool post,
                    bool downstream) {
    for (const core::Event& event : events) {
        GstStructure* structure = structure_of(event);
        if (post)
            gst_element_post_message(
                GST_ELEMENT(base),
                gst_message_new_element(GST_OBJECT(base), gst_structure_copy(structure)));
        if (downstream)
            gst_pad_push_event(GST_BASE_TRANSFORM_SRC_PAD(base),
                               gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, structure));
        else
            gst_structure_free(structure);
    }
}

bool attempt(GstBaseTransform* base, const std::function<void()>& action) {
    try {
        action();
        return true;
    } catch (const std::exception& error) {
        GST_ELEMENT_ERROR(base, STREAM, FAILED, ("%s", error.what()), (nullptr));
        return false;
    }
}

void SyncLatency::note(GstBaseTransform* base, GstClockTime taken) {
    GST_OBJECT_LOCK(base);
    const bool grew = taken > latency_;
    if (grew) latency_ = (taken / kLatencyStep + 1) * kLatencyStep;
    GST_OBJECT_UNLOCK(base);
    if (grew)
        gst_element_post_message(GST_ELEMENT(base), gst_message_new_latency(GST_OBJECT(base)));
}

void SyncLatency::add_to(GstBaseTransform* base, GstQuery* query) const {
    gboolean live = FALSE;
    GstClockTime least = 0, most = 0;
    gst_query_parse_latency(query, &live, &least, &most);
    GST_OBJECT_LOCK(base);
    const GstClockTime ours = latency_;
    GST_OBJECT_UNLOCK(base);
    if (GST_CLOCK_TIME_IS_VALID(most)) most += ours;
    gst_query_set_latency(query, live, least + ours, most);
}

}  // namespace pamtri::gst
