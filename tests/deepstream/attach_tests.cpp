// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include <nvds_tracker_meta.h>
#include <nvdsmeta_schema.h>

#include <cstring>
#include <string>
#include <tuple>
#include <utility>

#include "attach.hpp"
#include "batches.hpp"
#include "check.hpp"
#include "fake_nvds.hpp"
#include "message.hpp"
#include "vehicle_user_meta.h"

using pamtri::deepstream::add_message;
using pamtri::deepstream::Attacher;
using pamtri::deepstream::AttachSpec;
using pamtri::deepstream::MessageSpec;
using pamtri::deepstream::ReidMeta;
using test::Batch;

namespace {

using Shared = std::shared_ptr<const pamtri::gst::Known>;

std::uint64_t attach(NvDsObjectMeta* object, const Shared& known, const AttachSpec& spec = {}) {
    Attacher attacher(object->base_meta.batch_meta, spec);
    attacher.attach(object, known);
    return attacher.lost();
}

NvDsObjectMeta* one_object(const Batch& batch, guint64 id = 7) {
    return test::add_object(test::add_frame(batch.get(), 0), id, {10, 20, 110, 80});
}

std::vector<NvDsObjReid*> reids_of(const NvDsObjectMeta* object) {
    std::vector<NvDsObjReid*> found;
    for (NvDsUserMeta* user :
         test::users_of(object->obj_user_meta_list, NVDS_TRACKER_OBJ_REID_META))
        found.push_back(static_cast<NvDsObjReid*>(user->user_meta_data));
    return found;
}

/// What every reader may rely on, on a batch or a copy of it.
void expect_all(const NvDsObjectMeta* object, const Shared& known) {
    const GList* at = object->classifier_meta_list;
    for (const auto& [kind, label, number, probability] :
         {std::tuple{"color", "red", 1u, 0.75f}, std::tuple{"vehicletype", "truck", 0u, 0.5f}}) {
        EXPECT(at != nullptr);
        const auto* classifier = static_cast<const NvDsClassifierMeta*>(at->data);
        EXPECT(std::string(classifier->classifier_type) == kind);
        EXPECT(classifier->num_labels == 1 && g_list_length(classifier->label_info_list) == 1);
        const auto* info = static_cast<const NvDsLabelInfo*>(classifier->label_info_list->data);
        EXPECT(std::string(info->result_label) == label);
        EXPECT(info->result_class_id == number && info->result_prob == probability);
        at = at->next;
    }
    EXPECT(at == nullptr);
    const PamtriVehicle* vehicle = pamtri_vehicle_of(object);
    EXPECT(vehicle != nullptr);
    EXPECT(vehicle->track_id == 7 && vehicle->x1 == 10 && vehicle->y2 == 80);
    EXPECT(std::string(vehicle->object_type) == "car" && std::string(vehicle->type) == "truck");
    EXPECT(vehicle->embedding_size == 8 && vehicle->embedding[7] == 0.125f);
    EXPECT(vehicle->keypoint_count == 36 && vehicle->state == PAMTRI_VEHICLE_ANSWERED);
    EXPECT(std::string(vehicle->embedding_space) == "space");
    EXPECT(reids_of(object).size() == 1);
    const NvDsObjReid* reid = reids_of(object).front();
    EXPECT(reid->featureSize == 8 && reid->ptr_host[0] == known->embedding[0]);
    EXPECT(reid->ptr_dev == nullptr);
}

}  // namespace

TEST(a_vehicle_carries_two_classes_a_user_meta_and_an_embedding) {
    const Batch batch = test::new_batch();
    NvDsObjectMeta* object = one_object(batch);
    const Shared known = test::some_known();
    EXPECT(attach(object, known) == 0);
    expect_all(object, known);
    EXPECT(std::string(object->text_params.display_text) == "car red truck");
}

TEST(nothing_is_attached_where_nothing_is_known) {
    const Batch batch = test::new_batch();
    NvDsObjectMeta* object = one_object(batch);
    attach(object, nullptr);
    EXPECT(!object->classifier_meta_list && !object->obj_user_meta_list);
    EXPECT(std::string(object->text_params.display_text) == "car");
    EXPECT(pamtri_vehicle_of(object) == nullptr);
}

TEST(a_bundle_without_classes_attaches_none) {
    const Batch batch = test::new_batch();
    NvDsObjectMeta* object = one_object(batch);
    auto bare = std::make_shared<pamtri::gst::Known>();
    bare->embedding = {0.6f, 0.8f};
    attach(object, bare);
    EXPECT(!object->classifier_meta_list);
    EXPECT(pamtri_vehicle_of(object)->color == nullptr);
    EXPECT(pamtri_vehicle_of(object)->state == PAMTRI_VEHICLE_BELOW_GATE);
    EXPECT(reids_of(object).front()->featureSize == 2);
    EXPECT(std::string(object->text_params.display_text) == "car");
}

TEST(copies_of_a_batch_are_whole_and_each_is_released_once) {
    Batch batch = test::new_batch();
    NvDsObjectMeta* object = one_object(batch);
    Shared known = test::some_known();
    attach(object, known);
    Batch copy(static_cast<NvDsBatchMeta*>(nvds_batch_meta_copy_func(batch.get(), nullptr)));
    EXPECT(nvds::counts().copied == 2);
    batch.reset();
    EXPECT(nvds::counts().released == 2);
    Batch second(static_cast<NvDsBatchMeta*>(nvds_batch_meta_copy_func(copy.get(), nullptr)));
    expect_all(test::objects_of(test::frames_of(copy.get())[0])[0], known);
    copy.reset();
    expect_all(test::objects_of(test::frames_of(second.get())[0])[0], known);
    EXPECT(known.use_count() > 1);
    second.reset();
    EXPECT(nvds::counts().copied == 4 && nvds::counts().released == 6);
    EXPECT(known.use_count() == 1);
}

TEST(the_trackers_embedding_is_replaced_kept_or_left_alone) {
    for (const auto& [reid, expected] :
         {std::pair{ReidMeta::kReplace, 8u}, std::pair{ReidMeta::kKeep, 3u},
          std::pair{ReidMeta::kOff, 3u}}) {
        const Batch batch = test::new_batch();
        NvDsObjectMeta* object = one_object(batch);
        test::add_tracker_reid(object, {1, 2, 3});
        attach(object, test::some_known(), {0, reid, true});
        EXPECT(reids_of(object).size() == 1);
        EXPECT(reids_of(object)[0]->featureSize == expected);
    }
    const Batch batch = test::new_batch();
    NvDsObjectMeta* object = one_object(batch);
    attach(object, test::some_known(), {0, ReidMeta::kOff, true});
    EXPECT(reids_of(object).empty());
    attach(object, test::some_known(), {0, ReidMeta::kKeep, true});
    EXPECT(reids_of(object).size() == 1);
}

TEST(what_pools_have_no_room_for_is_left_out_whole_and_counted) {
    struct Case {
        nvds::Left left;
        std::uint64_t lost;
        std::size_t classifiers, users;
    };
    constexpr long kMany = 1000;
    for (const Case& one : {Case{{0, kMany, kMany}, 2, 0, 2}, Case{{kMany, 0, kMany}, 2, 0, 2},
                            Case{{kMany, 1, kMany}, 1, 1, 2}, Case{{1, kMany, 1}, 2, 1, 1},
                            Case{{kMany, kMany, 0}, 2, 2, 0}}) {
        const Batch batch = test::new_batch();
        NvDsObjectMeta* object = one_object(batch);
        nvds::set_left(one.left);
        EXPECT(attach(object, test::some_known()) == one.lost);
        EXPECT(g_list_length(object->classifier_meta_list) == one.classifiers);
        EXPECT(g_list_length(object->obj_user_meta_list) == one.users);
        nvds::set_left({});
    }
}

TEST(a_tracker_keeps_its_embedding_where_ours_finds_no_room) {
    const Batch batch = test::new_batch();
    NvDsObjectMeta* object = one_object(batch);
    test::add_tracker_reid(object, {1, 2, 3});
    nvds::set_left({10, 10, 1});
    EXPECT(attach(object, test::some_known()) == 1);
    EXPECT(reids_of(object).size() == 1 && reids_of(object)[0]->featureSize == 3);
}

TEST(a_label_that_is_too_long_stands_whole_beside_its_place) {
    const Batch batch = test::new_batch();
    NvDsObjectMeta* object = one_object(batch);
    auto known = std::make_shared<pamtri::gst::Known>(*test::some_known());
    known->color = std::string(300, 'x');
    attach(object, known);
    const auto* classifier =
        static_cast<const NvDsClassifierMeta*>(object->classifier_meta_list->data);
    const auto* info = static_cast<const NvDsLabelInfo*>(classifier->label_info_list->data);
    EXPECT(std::strlen(info->result_label) == MAX_LABEL_SIZE - 1);
    EXPECT(info->pResult_label == known->color);
}

TEST(a_label_of_an_object_without_an_end_is_read_no_further) {
    const Batch batch = test::new_batch();
    NvDsObjectMeta* object = one_object(batch);
    std::memset(object->obj_label, 'x', MAX_LABEL_SIZE);
    attach(object, test::some_known());
    EXPECT(std::strlen(pamtri_vehicle_of(object)->object_type) == MAX_LABEL_SIZE);
}

TEST(a_message_has_embedding_vehicle_and_the_sources_pixels) {
    Batch batch = test::new_batch();
    NvDsObjectMeta* object = one_object(batch, 1ull << 60);
    NvDsFrameMeta* frame = test::frames_of(batch.get())[0];
    frame->source_frame_width = 1280;
    frame->source_frame_height = 480;
    frame->ntp_timestamp = 1780214400250000000;
    const Shared known = test::some_known();
    nvds_acquire_meta_lock(batch.get());
    EXPECT(add_message(frame, object, *known, {3, "north", {640, 480}}));
    nvds::set_left({0, 0, 0});
    EXPECT(!add_message(frame, object, *known, {3, "north", {640, 480}}));
    nvds::set_left({});
    nvds_release_meta_lock(batch.get());
    Batch copy(static_cast<NvDsBatchMeta*>(nvds_batch_meta_copy_func(batch.get(), nullptr)));
    batch.reset();
    const auto users =
        test::users_of(test::frames_of(copy.get())[0]->frame_user_meta_list, NVDS_EVENT_MSG_META);
    EXPECT(users.size() == 1);
    const auto* message = static_cast<const NvDsEventMsgMeta*>(users[0]->user_meta_data);
    EXPECT(message->objType == NVDS_OBJECT_TYPE_VEHICLE && message->trackingId == 1ull << 60);
    EXPECT(message->bbox.left == 20 && message->bbox.top == 20);
    EXPECT(message->bbox.width == 200 && message->bbox.height == 60);
    EXPECT(std::string(message->ts) == "2026-05-31T08:00:00.250Z");
    EXPECT(std::string(message->sensorStr) == "north" && std::string(message->objectId) == "car");
    EXPECT(message->embedding.embedding_length == 8);
    EXPECT(message->embedding.embedding_vector[3] == 0.125f);
    EXPECT(message->embedding.embedding_vector != known->embedding.data());
    const auto* vehicle = static_cast<const NvDsVehicleObject*>(message->extMsg);
    EXPECT(message->extMsgSize == sizeof(NvDsVehicleObject));
    EXPECT(std::string(vehicle->type) == "truck" && std::string(vehicle->color) == "red");
    EXPECT(vehicle->make == nullptr && message->pose.num_joints == 0);
}
