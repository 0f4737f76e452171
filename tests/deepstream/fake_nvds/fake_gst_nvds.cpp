// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The batch's metadata on buffers, times of latency, and events of single sources.
#include <atomic>

#include "gst-nvevent.h"
#include "gstnvdsmeta.h"

namespace {

std::atomic<long> in{0}, out{0};

gboolean initialize(GstMeta* meta, gpointer, GstBuffer*) {
    auto* ours = reinterpret_cast<NvDsMeta*>(meta);
    ours->meta_data = nullptr;
    ours->freefunc = nullptr;
    return TRUE;
}

void release(GstMeta* meta, GstBuffer*) {
    auto* ours = reinterpret_cast<NvDsMeta*>(meta);
    if (ours->meta_data && ours->freefunc) ours->freefunc(ours->meta_data, ours->user_data);
}

gboolean transform(GstBuffer* target, GstMeta* meta, GstBuffer*, GQuark, gpointer) {
    auto* ours = reinterpret_cast<NvDsMeta*>(meta);
    NvDsMeta* copy =
        gst_buffer_add_nvds_meta(target, ours->copyfunc(ours->meta_data, ours->user_data),
                                 ours->user_data, ours->copyfunc, ours->freefunc);
    copy->meta_type = ours->meta_type;
    return TRUE;
}

GType api() {
    static const gchar* tags[] = {nullptr};
    static const GType type = gst_meta_api_type_register("FakeNvDsMetaAPI", tags);
    return type;
}

const GstMetaInfo* info() {
    static const GstMetaInfo* const registered =
        gst_meta_register(api(), "FakeNvDsMeta", sizeof(NvDsMeta), initialize, release, transform);
    return registered;
}

GstEvent* event_of(GstNvEventType type, const char* name, guint source) {
    return gst_event_new_custom(static_cast<GstEventType>(type),
                                gst_structure_new(name, "source-id", G_TYPE_UINT, source, nullptr));
}

void source_of(GstEvent* event, guint* source) {
    gst_structure_get_uint(gst_event_get_structure(event), "source-id", source);
}

}  // namespace

namespace nvds {

long times_in() { return in; }
long times_out() { return out; }
void reset_times() { in = out = 0; }

}  // namespace nvds

extern "C" {

NvDsMeta* gst_buffer_add_nvds_meta(GstBuffer* buffer, gpointer meta_data, gpointer user_data,
                                   NvDsMetaCopyFunc copy, NvDsMetaReleaseFunc release) {
    auto* meta = reinterpret_cast<NvDsMeta*>(gst_buffer_add_meta(buffer, info(), nullptr));
    meta->meta_data = meta_data;
    meta->user_data = user_data;
    meta->copyfunc = copy;
    meta->freefunc = release;
    return meta;
}

NvDsBatchMeta* gst_buffer_get_nvds_batch_meta(GstBuffer* buffer) {
    gpointer state = nullptr;
    while (GstMeta* meta = gst_buffer_iterate_meta_filtered(buffer, &state, api())) {
        auto* ours = reinterpret_cast<NvDsMeta*>(meta);
        if (ours->meta_type == NVDS_BATCH_GST_META)
            return static_cast<NvDsBatchMeta*>(ours->meta_data);
    }
    return nullptr;
}

NvDsUserMeta* nvds_set_input_system_timestamp(GstBuffer*, gchar*) {
    ++in;
    return nullptr;
}

gboolean nvds_set_output_system_timestamp(GstBuffer*, gchar*) {
    ++out;
    return TRUE;
}

GstEvent* gst_nvevent_new_pad_deleted(guint source) {
    return event_of(GST_NVEVENT_PAD_DELETED, "nv-pad-deleted", source);
}
GstEvent* gst_nvevent_new_stream_eos(guint source) {
    return event_of(GST_NVEVENT_STREAM_EOS, "nv-stream-eos", source);
}
GstEvent* gst_nvevent_new_stream_reset(guint source) {
    return event_of(GST_NVEVENT_STREAM_RESET, "nv-stream-reset", source);
}
void gst_nvevent_parse_pad_deleted(GstEvent* event, guint* source) { source_of(event, source); }
void gst_nvevent_parse_stream_eos(GstEvent* event, guint* source) { source_of(event, source); }
void gst_nvevent_parse_stream_reset(GstEvent* event, guint* source) { source_of(event, source); }
}
