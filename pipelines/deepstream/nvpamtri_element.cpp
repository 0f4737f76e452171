// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// nvpamtri: describes the vehicles of DeepStream's batches, on the GPU that they lie on.
#include "nvpamtri_element.hpp"

#include <gst-nvevent.h>
#include <gst/base/gstbasetransform.h>

#include <memory>
#include <string>

#include "batch_stream.hpp"
#include "engine_messages.hpp"
#include "errors.hpp"
#include "stream.hpp"
#include "transform_class.hpp"

GST_DEBUG_CATEGORY_STATIC(nvpamtri_debug);
#define GST_CAT_DEFAULT nvpamtri_debug

namespace pamtri::deepstream {

/// The counts as a structure, which the caller frees.
static GstStructure* structure_of(const BatchCounts& counts) {
    GstStructure* structure = gst::structure_of(counts.common);
    gst_structure_set(structure, "lost", G_TYPE_UINT64, counts.lost, "unready", G_TYPE_UINT64,
                      counts.unready, nullptr);
    return structure;
}

namespace {

constexpr char kFormats[] = "video/x-raw(memory:NVMM), format = { NV12, RGBA }";

struct State : gst::Describing<Settings, BatchCounts, BatchStream> {};

using NvPamtri = gst::Transform<State>;
using NvPamtriClass = gst::TransformClass;

G_DEFINE_TYPE(NvPamtri, nvpamtri_element, GST_TYPE_BASE_TRANSFORM)

State& state_of(gpointer element) { return gst::state_of<State>(element); }

void publish(GstBaseTransform* base, State& state, bool downstream = true) {
    BatchCounts counts;
    if (state.stream) counts = state.stream->counts();
    counts.unready = state.unready;
    GST_OBJECT_LOCK(base);
    state.counts = counts;
    GST_OBJECT_UNLOCK(base);
    if (state.stream)
        gst::publish_events(base, state.stream->take_events(), state.running.common.post_messages,
                            downstream);
}

gboolean start(GstBaseTransform* base) {
    State& state = state_of(base);
    try {
        if (const std::string file = gst::settings_of<State>(base).config_file; !file.empty())
            read_config(G_OBJECT(base), file);
        state.running = gst::settings_of<State>(base);
        state.running.common.check();  // refused now what would be on the first frame
        state.dump = state.running.common.new_dump();
    } catch (const std::exception& error) {
        GST_ELEMENT_ERROR(base, RESOURCE, SETTINGS, ("%s", error.what()), (nullptr));
        return FALSE;
    }
    state.unready = 0;
    state.latency.restart();
    publish(base, state, false);
    state.loader = gst::begin_loading(GST_ELEMENT(base), state.running.common.bundle,
                                      "GPU " + std::to_string(state.running.gpu_id),
                                      state.running.network_options(), true);
    return TRUE;
}

/// The running stream; null while the network is being opened.
BatchStream* stream_of(State& state) {
    if (state.stream || !state.loader) return state.stream.get();
    if (auto network = state.loader->get(state.running.common.sync))
        state.stream = std::make_unique<BatchStream>(state.running, std::move(network), state.dump);
    return state.stream.get();
}

/// Take a batch. Throws what stops the pipeline.
void take(GstBaseTransform* base, GstBuffer* buffer) {
    State& state = state_of(base);
    NvDsBatchMeta* batch = gst_buffer_get_nvds_batch_meta(buffer);
    if (!batch)
        throw core::InputError(
            "a buffer has no metadata of a batch; nvpamtri stands behind nvstreammux, a detector "
            "and a tracker.");
    BatchStream* stream = stream_of(state);
    if (!stream) {
        state.unready += batch->num_frames_in_batch;
        publish(base, state);
        return;
    }
    GstMapInfo map;
    if (!gst_buffer_map(buffer, &map, GST_MAP_READ))
        throw core::InputError("a buffer's frames cannot be mapped.");
    const std::unique_ptr<GstMapInfo, std::function<void(GstMapInfo*)>> mapped(
        &map, [buffer](GstMapInfo* info) { gst_buffer_unmap(buffer, info); });
    if (map.size < sizeof(NvBufSurface))
        throw core::InputError("a buffer holds no NvBufSurface, though its caps say memory:NVMM.");
    stream->take(batch, *reinterpret_cast<NvBufSurface*>(map.data));
    publish(base, state);
}

GstFlowReturn transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
    State& state = state_of(base);
    if (state.loader && state.loader->failed()) return GST_FLOW_ERROR;  // which was told
    const GstClockTime begin = gst_util_get_timestamp();
    nvds_set_input_system_timestamp(buffer, GST_ELEMENT_NAME(base));
    const bool done = gst::attempt(base, [&] { take(base, buffer); });
    nvds_set_output_system_timestamp(buffer, GST_ELEMENT_NAME(base));
    if (state.loader && state.loader->failed()) return GST_FLOW_ERROR;
    if (state.running.common.sync) state.latency.note(base, gst_util_get_timestamp() - begin);
    return done ? GST_FLOW_OK : GST_FLOW_ERROR;
}

/// What a single source of the batch does.
void source_event(GstBaseTransform* base, GstEvent* event) {
    State& state = state_of(base);
    BatchStream* stream = state.stream.get();
    guint pad = 0;
    const auto type = static_cast<GstNvEventType>(GST_EVENT_TYPE(event));
    if (!stream) return;
    if (type == GST_NVEVENT_STREAM_EOS || type == GST_NVEVENT_PAD_DELETED) {
        if (type == GST_NVEVENT_STREAM_EOS)
            gst_nvevent_parse_stream_eos(event, &pad);
        else
            gst_nvevent_parse_pad_deleted(event, &pad);
        gst::attempt(base, [&] {
            stream->finish(pad);
            publish(base, state);
        });
    } else if (type == GST_NVEVENT_STREAM_RESET) {
        gst_nvevent_parse_stream_reset(event, &pad);
        gst::attempt(base, [&] {
            stream->cut(pad);
            publish(base, state);
        });
    }
}

gboolean sink_event(GstBaseTransform* base, GstEvent* event) {
    State& state = state_of(base);
    const auto pass_on = [base, event] { return gst::parent_class()->sink_event(base, event); };
    switch (GST_EVENT_TYPE(event)) {
        case GST_EVENT_EOS:
            if (state.stream)
                gst::attempt(base, [&] {
                    state.stream->finish();
                    publish(base, state);
                });
            return pass_on();
        case GST_EVENT_FLUSH_START:
        case GST_EVENT_FLUSH_STOP:
            return gst::flush<State>(base, event);
        default:
            source_event(base, event);
            return pass_on();
    }
}

void nvpamtri_element_init(NvPamtri* self) { gst::initialize(self); }

void nvpamtri_element_class_init(NvPamtriClass* type) {
    GST_DEBUG_CATEGORY_INIT(nvpamtri_debug, "nvpamtri", 0, "vehicle re-identification");
    GstBaseTransformClass* base = GST_BASE_TRANSFORM_CLASS(type);
    gst::set_up<State>(
        base, {"Vehicle re-identification in DeepStream",
               "Describes the tracked vehicles of batches on the GPU: embedding, color, type, "
               "keypoints, as metadata on every frame, and one event for each track",
               kFormats});
    install_settings(G_OBJECT_CLASS(type));
    base->start = start;
    base->sink_event = sink_event;
    base->transform_ip = transform_ip;
}

}  // namespace

GType nvpamtri_element_type() { return nvpamtri_element_get_type(); }

gboolean register_element(GstPlugin* plugin) {
    return gst_element_register(plugin, "nvpamtri", GST_RANK_NONE, nvpamtri_element_type());
}

}  // namespace pamtri::deepstream
