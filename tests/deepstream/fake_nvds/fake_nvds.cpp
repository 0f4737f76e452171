// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "fake_nvds.hpp"

#include <atomic>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

#include "nvdsmeta.h"

namespace {

std::atomic<long> batches{0}, frames{0}, objects{0}, classifiers{0}, labels{0}, users{0};
std::atomic<long> copied{0}, released{0}, locked{0}, unlocked_changes{0};
std::mutex left_mutex;
nvds::Left left;

/// A batch notes in its reserved fields how often its lock is held.
gint64& depth_of(NvDsBatchMeta* batch) { return batch->reserved[0]; }

void note_change(NvDsBatchMeta* batch) {
    if (depth_of(batch) == 0) ++unlocked_changes;
}

bool take(long nvds::Left::* kind) {
    const std::lock_guard<std::mutex> lock(left_mutex);
    if (left.*kind == 0) return false;
    --(left.*kind);
    return true;
}

template <typename T>
T* made(NvDsBatchMeta* batch, NvDsMetaType type, std::atomic<long>& count) {
    ++count;
    T* one = g_new0(T, 1);
    one->base_meta.batch_meta = batch;
    one->base_meta.meta_type = type;
    return one;
}

void give_back(NvDsObjectMeta* object);
void give_back(NvDsFrameMeta* frame);

void give_back(NvDsUserMeta* user) {
    if (user->base_meta.release_func) {
        user->base_meta.release_func(user, nullptr);
        ++released;
    }
    g_free(user);
    --users;
}

void give_back(NvDsLabelInfo* label) {
    g_free(label->pResult_label);
    g_free(label);
    --labels;
}

void give_back(NvDsClassifierMeta* classifier) {
    for (GList* at = classifier->label_info_list; at; at = at->next)
        give_back(static_cast<NvDsLabelInfo*>(at->data));
    g_list_free(classifier->label_info_list);
    g_free(classifier);
    --classifiers;
}

template <typename T>
void give_back_all(GList* list) {
    for (GList* at = list; at; at = at->next) give_back(static_cast<T*>(at->data));
    g_list_free(list);
}

void give_back(NvDsObjectMeta* object) {
    give_back_all<NvDsClassifierMeta>(object->classifier_meta_list);
    give_back_all<NvDsUserMeta>(object->obj_user_meta_list);
    g_free(object->text_params.display_text);
    g_free(object);
    --objects;
}

void give_back(NvDsFrameMeta* frame) {
    give_back_all<NvDsObjectMeta>(frame->obj_meta_list);
    give_back_all<NvDsUserMeta>(frame->frame_user_meta_list);
    g_free(frame);
    --frames;
}

/// A list of copies; the base of each copy names the new batch.
template <typename T, typename Copy>
GList* copies(GList* list, Copy copy) {
    GList* made = nullptr;
    for (GList* at = list; at; at = at->next)
        if (T* one = copy(static_cast<T*>(at->data))) made = g_list_append(made, one);
    return made;
}

NvDsUserMeta* copy_of(NvDsUserMeta* source, NvDsBatchMeta* batch) {
    if (!source->base_meta.copy_func) return nullptr;
    auto* user = made<NvDsUserMeta>(batch, source->base_meta.meta_type, users);
    user->base_meta = source->base_meta;
    user->base_meta.batch_meta = batch;
    user->user_meta_data = source->base_meta.copy_func(source, nullptr);
    ++copied;
    return user;
}

NvDsLabelInfo* copy_of(NvDsLabelInfo* source, NvDsBatchMeta* batch) {
    auto* label = made<NvDsLabelInfo>(batch, NVDS_LABEL_INFO_META, labels);
    *label = *source;
    label->base_meta.batch_meta = batch;
    label->pResult_label = g_strdup(source->pResult_label);
    return label;
}

NvDsClassifierMeta* copy_of(NvDsClassifierMeta* source, NvDsBatchMeta* batch) {
    auto* classifier = made<NvDsClassifierMeta>(batch, NVDS_CLASSIFIER_META, classifiers);
    *classifier = *source;
    classifier->base_meta.batch_meta = batch;
    classifier->label_info_list = copies<NvDsLabelInfo>(
        source->label_info_list, [batch](NvDsLabelInfo* one) { return copy_of(one, batch); });
    return classifier;
}

NvDsObjectMeta* copy_of(NvDsObjectMeta* source, NvDsBatchMeta* batch) {
    auto* object = made<NvDsObjectMeta>(batch, NVDS_OBJ_META, objects);
    *object = *source;
    object->base_meta.batch_meta = batch;
    object->text_params.display_text = g_strdup(source->text_params.display_text);
    object->classifier_meta_list = copies<NvDsClassifierMeta>(
        source->classifier_meta_list,
        [batch](NvDsClassifierMeta* one) { return copy_of(one, batch); });
    object->obj_user_meta_list = copies<NvDsUserMeta>(
        source->obj_user_meta_list, [batch](NvDsUserMeta* one) { return copy_of(one, batch); });
    return object;
}

NvDsFrameMeta* copy_of(NvDsFrameMeta* source, NvDsBatchMeta* batch) {
    auto* frame = made<NvDsFrameMeta>(batch, NVDS_FRAME_META, frames);
    *frame = *source;
    frame->base_meta.batch_meta = batch;
    frame->obj_meta_list = copies<NvDsObjectMeta>(
        source->obj_meta_list, [batch](NvDsObjectMeta* one) { return copy_of(one, batch); });
    frame->frame_user_meta_list = copies<NvDsUserMeta>(
        source->frame_user_meta_list, [batch](NvDsUserMeta* one) { return copy_of(one, batch); });
    return frame;
}

}  // namespace

namespace nvds {

long times_in(), times_out();
void reset_times();

Counts counts() {
    Counts counts;
    counts.batches = batches;
    counts.frames = frames;
    counts.objects = objects;
    counts.classifiers = classifiers;
    counts.labels = labels;
    counts.users = users;
    counts.copied = copied;
    counts.released = released;
    counts.locked = locked;
    counts.unlocked_changes = unlocked_changes;
    counts.times_in = times_in();
    counts.times_out = times_out();
    return counts;
}

void reset() {
    copied = released = locked = unlocked_changes = 0;
    reset_times();
    set_left({});
}

void set_left(const Left& pools) {
    const std::lock_guard<std::mutex> lock(left_mutex);
    left = pools;
}

}  // namespace nvds

extern "C" {

void nvds_acquire_meta_lock(NvDsBatchMeta* batch) {
    g_rec_mutex_lock(&batch->meta_mutex);
    ++depth_of(batch);
    ++locked;
}

void nvds_release_meta_lock(NvDsBatchMeta* batch) {
    --depth_of(batch);
    g_rec_mutex_unlock(&batch->meta_mutex);
}

NvDsBatchMeta* nvds_create_batch_meta(guint max_batch_size) {
    ++batches;
    auto* batch = g_new0(NvDsBatchMeta, 1);
    batch->base_meta.batch_meta = batch;
    batch->base_meta.meta_type = NVDS_BATCH_META;
    batch->max_frames_in_batch = max_batch_size;
    g_rec_mutex_init(&batch->meta_mutex);
    return batch;
}

gboolean nvds_destroy_batch_meta(NvDsBatchMeta* batch) {
    if (depth_of(batch) != 0) ++unlocked_changes;
    give_back_all<NvDsFrameMeta>(batch->frame_meta_list);
    g_rec_mutex_clear(&batch->meta_mutex);
    g_free(batch);
    --batches;
    return TRUE;
}

gpointer nvds_batch_meta_copy_func(gpointer data, gpointer) {
    auto* source = static_cast<NvDsBatchMeta*>(data);
    NvDsBatchMeta* batch = nvds_create_batch_meta(source->max_frames_in_batch);
    g_rec_mutex_lock(&source->meta_mutex);
    batch->num_frames_in_batch = source->num_frames_in_batch;
    batch->frame_meta_list = copies<NvDsFrameMeta>(
        source->frame_meta_list, [batch](NvDsFrameMeta* one) { return copy_of(one, batch); });
    g_rec_mutex_unlock(&source->meta_mutex);
    return batch;
}

void nvds_batch_meta_release_func(gpointer data, gpointer) {
    nvds_destroy_batch_meta(static_cast<NvDsBatchMeta*>(data));
}

NvDsFrameMeta* nvds_acquire_frame_meta_from_pool(NvDsBatchMeta* batch) {
    note_change(batch);
    return made<NvDsFrameMeta>(batch, NVDS_FRAME_META, frames);
}

NvDsObjectMeta* nvds_acquire_obj_meta_from_pool(NvDsBatchMeta* batch) {
    note_change(batch);
    return made<NvDsObjectMeta>(batch, NVDS_OBJ_META, objects);
}

NvDsClassifierMeta* nvds_acquire_classifier_meta_from_pool(NvDsBatchMeta* batch) {
    note_change(batch);
    if (!take(&nvds::Left::classifiers)) return nullptr;
    return made<NvDsClassifierMeta>(batch, NVDS_CLASSIFIER_META, classifiers);
}

NvDsLabelInfo* nvds_acquire_label_info_meta_from_pool(NvDsBatchMeta* batch) {
    note_change(batch);
    if (!take(&nvds::Left::labels)) return nullptr;
    return made<NvDsLabelInfo>(batch, NVDS_LABEL_INFO_META, labels);
}

NvDsUserMeta* nvds_acquire_user_meta_from_pool(NvDsBatchMeta* batch) {
    note_change(batch);
    if (!take(&nvds::Left::users)) return nullptr;
    return made<NvDsUserMeta>(batch, NVDS_USER_META, users);
}

void nvds_add_frame_meta_to_batch(NvDsBatchMeta* batch, NvDsFrameMeta* frame) {
    note_change(batch);
    batch->frame_meta_list = g_list_append(batch->frame_meta_list, frame);
    ++batch->num_frames_in_batch;
}

void nvds_add_obj_meta_to_frame(NvDsFrameMeta* frame, NvDsObjectMeta* object,
                                NvDsObjectMeta* parent) {
    note_change(frame->base_meta.batch_meta);
    object->parent = parent;
    frame->obj_meta_list = g_list_append(frame->obj_meta_list, object);
    ++frame->num_obj_meta;
}

void nvds_add_classifier_meta_to_object(NvDsObjectMeta* object, NvDsClassifierMeta* classifier) {
    note_change(object->base_meta.batch_meta);
    object->classifier_meta_list = g_list_append(object->classifier_meta_list, classifier);
}

void nvds_add_label_info_meta_to_classifier(NvDsClassifierMeta* classifier, NvDsLabelInfo* label) {
    note_change(classifier->base_meta.batch_meta);
    classifier->label_info_list = g_list_append(classifier->label_info_list, label);
    ++classifier->num_labels;
}

void nvds_add_user_meta_to_obj(NvDsObjectMeta* object, NvDsUserMeta* user) {
    note_change(object->base_meta.batch_meta);
    object->obj_user_meta_list = g_list_append(object->obj_user_meta_list, user);
}

void nvds_add_user_meta_to_frame(NvDsFrameMeta* frame, NvDsUserMeta* user) {
    note_change(frame->base_meta.batch_meta);
    frame->frame_user_meta_list = g_list_append(frame->frame_user_meta_list, user);
}

void nvds_remove_classifier_meta_from_obj(NvDsObjectMeta* object, NvDsClassifierMeta* classifier) {
    note_change(object->base_meta.batch_meta);
    object->classifier_meta_list = g_list_remove(object->classifier_meta_list, classifier);
    give_back(classifier);
}

void nvds_remove_user_meta_from_object(NvDsObjectMeta* object, NvDsUserMeta* user) {
    note_change(object->base_meta.batch_meta);
    object->obj_user_meta_list = g_list_remove(object->obj_user_meta_list, user);
    give_back(user);
}

NvDsMetaType nvds_get_user_meta_type(gchar* descriptor) {
    static std::mutex mutex;
    static std::map<std::string, int> types;
    const std::lock_guard<std::mutex> lock(mutex);
    const int next = NVDS_START_USER_META + static_cast<int>(types.size());
    return static_cast<NvDsMetaType>(types.emplace(descriptor, next).first->second);
}
}
