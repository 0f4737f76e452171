// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What happens to a single source of a batch.
#pragma once

#include <gst/gst.h>

#define FAKE_NVEVENT(number)                                                            \
    GST_EVENT_MAKE_TYPE(number, GST_EVENT_TYPE_DOWNSTREAM | GST_EVENT_TYPE_SERIALIZED | \
                                    GST_EVENT_TYPE_STICKY | GST_EVENT_TYPE_STICKY_MULTI)
enum GstNvEventType {
    GST_NVEVENT_PAD_ADDED = FAKE_NVEVENT(400),
    GST_NVEVENT_PAD_DELETED = FAKE_NVEVENT(401),
    GST_NVEVENT_STREAM_EOS = FAKE_NVEVENT(402),
    GST_NVEVENT_STREAM_RESET = FAKE_NVEVENT(404)
};

extern "C" {
GstEvent* gst_nvevent_new_pad_deleted(guint source_id);
GstEvent* gst_nvevent_new_stream_eos(guint source_id);
GstEvent* gst_nvevent_new_stream_reset(guint source_id);
void gst_nvevent_parse_pad_deleted(GstEvent* event, guint* source_id);
void gst_nvevent_parse_stream_eos(GstEvent* event, guint* source_id);
void gst_nvevent_parse_stream_reset(GstEvent* event, guint* source_id);
}
