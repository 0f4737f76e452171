// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "message.hpp"

#include <nvdsmeta_schema.h>

#include <chrono>
#include <cstring>

#include "utc.hpp"

namespace pamtri::deepstream {

namespace {

constexpr std::int64_t kNanosecondsAMicrosecond = 1000;

gchar* text_of(const std::string& text) { return text.empty() ? nullptr : g_strdup(text.c_str()); }

/// ISO 8601 of a time in nanoseconds since 1970; of now for 0.
gchar* time_of(guint64 ntp) {
    using std::chrono::microseconds;
    const auto now = std::chrono::duration_cast<microseconds>(
        std::chrono::system_clock::now().time_since_epoch());
    const core::Moment moment =
        ntp ? static_cast<core::Moment>(ntp / kNanosecondsAMicrosecond) : now.count();
    return text_of(core::utc_text(moment, 0).value_or("1970-01-01T00:00:00.000Z"));
}

void set_embedding(NvDsEventMsgMeta* message, const float* values, std::size_t count) {
    message->embedding.embedding_length = static_cast<guint>(count);
    message->embedding.embedding_vector = count ? g_new(float, count) : nullptr;
    if (count) std::memcpy(message->embedding.embedding_vector, values, count * sizeof(float));
}

NvDsRect in_source(const NvOSD_RectParams& box, const NvDsFrameMeta* frame, core::FrameSize size) {
    const auto scale = [](guint source, int ours) {
        return source && ours ? static_cast<float>(source) / static_cast<float>(ours) : 1.0f;
    };
    const float wide = scale(frame->source_frame_width, size.width);
    const float high = scale(frame->source_frame_height, size.height);
    NvDsRect rect{};
    rect.left = box.left * wide;
    rect.top = box.top * high;
    rect.width = box.width * wide;
    rect.height = box.height * high;
    return rect;
}

NvDsEventMsgMeta* message_of(const NvDsFrameMeta* frame, const NvDsObjectMeta* object,
                             const gst::Known& known, const MessageSpec& spec) {
    auto* message = g_new0(NvDsEventMsgMeta, 1);
    message->type = NVDS_EVENT_MOVING;
    message->objType = NVDS_OBJECT_TYPE_VEHICLE;
    message->bbox = in_source(object->rect_params, frame, spec.size);
    message->objClassId = object->class_id;
    message->sensorId = static_cast<gint>(frame->source_id);
    message->placeId = message->moduleId = message->sensorId;
    message->componentId = spec.component_id;
    message->frameId = frame->frame_num;
    message->confidence = object->confidence;
    message->trackingId = object->object_id;
    message->ts = time_of(frame->ntp_timestamp);
    message->objectId = g_strndup(object->obj_label, MAX_LABEL_SIZE);
    message->sensorStr = text_of(spec.camera);
    auto* vehicle = g_new0(NvDsVehicleObject, 1);
    vehicle->type = text_of(known.type);
    vehicle->color = text_of(known.color);
    message->extMsg = vehicle;
    message->extMsgSize = sizeof *vehicle;
    set_embedding(message, known.embedding.data(), known.embedding.size());
    return message;
}

NvDsEventMsgMeta* message_in(gpointer user) {
    return static_cast<NvDsEventMsgMeta*>(static_cast<NvDsUserMeta*>(user)->user_meta_data);
}

/// Only what `message_of` fills owns memory; the rest is copied as it is.
gpointer copy_message(gpointer user, gpointer) {
    const NvDsEventMsgMeta* from = message_in(user);
    if (!from) return nullptr;
    auto* to = g_new(NvDsEventMsgMeta, 1);
    std::memcpy(static_cast<void*>(to), from, sizeof *to);
    to->ts = g_strdup(from->ts);
    to->objectId = g_strdup(from->objectId);
    to->sensorStr = g_strdup(from->sensorStr);
    const auto* old = static_cast<const NvDsVehicleObject*>(from->extMsg);
    auto* vehicle = g_new0(NvDsVehicleObject, 1);
    vehicle->type = g_strdup(old->type);
    vehicle->color = g_strdup(old->color);
    to->extMsg = vehicle;
    set_embedding(to, from->embedding.embedding_vector, from->embedding.embedding_length);
    return to;
}

void free_message(NvDsEventMsgMeta* message) {
    if (!message) return;
    g_free(message->ts);
    g_free(message->objectId);
    g_free(message->sensorStr);
    auto* vehicle = static_cast<NvDsVehicleObject*>(message->extMsg);
    g_free(vehicle->type);
    g_free(vehicle->color);
    g_free(vehicle);
    g_free(message->embedding.embedding_vector);
    g_free(message);
}

void release_message(gpointer user, gpointer) {
    free_message(message_in(user));
    static_cast<NvDsUserMeta*>(user)->user_meta_data = nullptr;
}

}  // namespace

bool add_message(NvDsFrameMeta* frame, const NvDsObjectMeta* object, const gst::Known& known,
                 const MessageSpec& spec) {
    NvDsUserMeta* user = nvds_acquire_user_meta_from_pool(frame->base_meta.batch_meta);
    if (!user) return false;
    user->user_meta_data = message_of(frame, object, known, spec);
    user->base_meta.meta_type = NVDS_EVENT_MSG_META;
    user->base_meta.copy_func = copy_message;
    user->base_meta.release_func = release_message;
    user->base_meta.batch_meta = frame->base_meta.batch_meta;
    nvds_add_user_meta_to_frame(frame, user);
    return true;
}

}  // namespace pamtri::deepstream
