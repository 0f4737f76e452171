// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "batches.hpp"

#include <nvds_tracker_meta.h>

namespace test {

namespace {

struct TrackerReid {
    NvDsObjReid reid;
    std::vector<float> values;
};

NvDsObjReid* made(std::vector<float> values) {
    auto* made = new TrackerReid{{}, std::move(values)};
    made->reid = {static_cast<std::uint32_t>(made->values.size()), made->values.data(), nullptr};
    return &made->reid;
}

TrackerReid* in(gpointer user) {
    return static_cast<TrackerReid*>(static_cast<NvDsUserMeta*>(user)->user_meta_data);
}

template <typename T>
std::vector<T*> all_of(const GList* list) {
    std::vector<T*> found;
    for (const GList* at = list; at; at = at->next) found.push_back(static_cast<T*>(at->data));
    return found;
}

}  // namespace

Batch new_batch(unsigned most) { return Batch(nvds_create_batch_meta(most)); }

NvDsFrameMeta* add_frame(NvDsBatchMeta* batch, unsigned source, int number) {
    nvds_acquire_meta_lock(batch);
    NvDsFrameMeta* frame = nvds_acquire_frame_meta_from_pool(batch);
    frame->pad_index = frame->source_id = source;
    frame->batch_id = batch->num_frames_in_batch;
    frame->frame_num = number;
    frame->buf_pts = static_cast<guint64>(number) * 40000000;
    nvds_add_frame_meta_to_batch(batch, frame);
    nvds_release_meta_lock(batch);
    return frame;
}

NvDsObjectMeta* add_object(NvDsFrameMeta* frame, guint64 id, const pamtri::core::Box& box,
                           const std::string& label) {
    NvDsBatchMeta* batch = frame->base_meta.batch_meta;
    nvds_acquire_meta_lock(batch);
    NvDsObjectMeta* object = nvds_acquire_obj_meta_from_pool(batch);
    object->object_id = id;
    object->confidence = 0.75f;
    object->rect_params.left = static_cast<float>(box.x1);
    object->rect_params.top = static_cast<float>(box.y1);
    object->rect_params.width = static_cast<float>(box.x2 - box.x1);
    object->rect_params.height = static_cast<float>(box.y2 - box.y1);
    g_strlcpy(object->obj_label, label.c_str(), MAX_LABEL_SIZE);
    object->text_params.display_text = g_strdup(label.c_str());
    nvds_add_obj_meta_to_frame(frame, object, nullptr);
    nvds_release_meta_lock(batch);
    return object;
}

void add_tracker_reid(NvDsObjectMeta* object, std::vector<float> values) {
    NvDsBatchMeta* batch = object->base_meta.batch_meta;
    nvds_acquire_meta_lock(batch);
    NvDsUserMeta* user = nvds_acquire_user_meta_from_pool(batch);
    user->user_meta_data = made(std::move(values));
    user->base_meta.meta_type = NVDS_TRACKER_OBJ_REID_META;
    user->base_meta.copy_func = [](gpointer one, gpointer) -> gpointer {
        return made(in(one)->values);
    };
    user->base_meta.release_func = [](gpointer one, gpointer) { delete in(one); };
    nvds_add_user_meta_to_obj(object, user);
    nvds_release_meta_lock(batch);
}

std::shared_ptr<const pamtri::gst::Known> some_known(int views, std::size_t numbers) {
    auto known = std::make_shared<pamtri::gst::Known>();
    known->passed = true;
    known->views = views;
    known->quality = 0.5;
    known->color = "red";
    known->color_probability = 0.75;
    known->color_probs = {0.25f, 0.75f};
    known->type = "truck";
    known->type_probability = 0.5;
    known->type_probs = {0.5f, 0.3f, 0.2f};
    known->embedding.assign(numbers, 0.125f);
    known->keypoints.assign(108, 0.5f);
    known->embedding_space = "space";
    known->bundle = "bundle";
    return known;
}

std::vector<NvDsFrameMeta*> frames_of(const NvDsBatchMeta* batch) {
    return all_of<NvDsFrameMeta>(batch->frame_meta_list);
}

std::vector<NvDsObjectMeta*> objects_of(const NvDsFrameMeta* frame) {
    return all_of<NvDsObjectMeta>(frame->obj_meta_list);
}

std::vector<NvDsUserMeta*> users_of(const NvDsUserMetaList* list, NvDsMetaType type) {
    std::vector<NvDsUserMeta*> found;
    for (NvDsUserMeta* user : all_of<NvDsUserMeta>(list))
        if (user->base_meta.meta_type == type) found.push_back(user);
    return found;
}

}  // namespace test
