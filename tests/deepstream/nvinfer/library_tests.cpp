// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The libraries of pipelines/nvinfer, opened and called as nvinfer and nvdspostprocess do.
#include <cuda_runtime_api.h>
#include <dlfcn.h>
#include <gst-nvevent.h>
#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>
#include <gstnvdsinfer.h>
#include <gstnvdsmeta.h>
#include <nvds_tracker_meta.h>
#include <nvdsmeta_schema.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <list>
#include <memory>
#include <nvdspostprocesslib_interface.hpp>
#include <string>

#include "batches.hpp"
#include "check.hpp"
#include "fake_nvds.hpp"
#include "vehicle_user_meta.h"

namespace {

std::string folder() { return std::getenv("PAMTRI_LIBRARIES"); }

/// A symbol of a library that stays open, as those of nvinfer do.
template <typename Function>
Function* symbol(const char* library, const char* name) {
    void* opened = dlopen((folder() + "/" + library).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!opened) test::fail(__FILE__, __LINE__, dlerror());
    return reinterpret_cast<Function*>(dlsym(opened, name));
}

using Parse = bool(std::vector<NvDsInferLayerInfo> const&, NvDsInferNetworkInfo const&, float,
                   std::vector<NvDsInferAttribute>&, std::string&);
using Create = IDSPostProcessLibrary*(DSPostProcess_CreateParams*);

NvDsInferLayerInfo layer(const char* name, std::vector<float>& values,
                         NvDsInferDataType type = FLOAT) {
    const auto count = static_cast<unsigned>(values.size());
    return {type, {1, {count}, count}, 0, name, values.data(), 0};
}

struct Parsed {
    bool well;
    std::vector<NvDsInferAttribute> attributes;
};

Parsed parse(const std::vector<NvDsInferLayerInfo>& layers, float threshold = 0) {
    Parsed found{};
    std::string text;
    auto* function = symbol<Parse>("libnvdsinfer_pamtri.so", "NvDsInferParseCustomPamtri");
    found.well = function(layers, {256, 256, 3}, threshold, found.attributes, text);
    EXPECT(text.empty());
    return found;
}

constexpr float kNone = std::numeric_limits<float>::quiet_NaN();

/// What nvinfer attaches to an object; it lives as long as the test.
struct Tensors {
    std::vector<float> embedding, color, type, quality, keypoints;
    std::vector<NvDsInferLayerInfo> layers;
    std::vector<void*> buffers;
    NvDsInferTensorMeta meta{};
};
std::list<Tensors> kept;

const bool started = (gst_init(nullptr, nullptr), true);

Tensors& look(NvDsObjectMeta* object, std::vector<float> embedding, float quality,
              std::vector<float> color = {0.25f, 0.75f}, guint engine = 2) {
    kept.push_back(
        {std::move(embedding), std::move(color), {0.1f, 0.2f, 0.7f}, {quality}, {}, {}, {}, {}});
    Tensors& t = kept.back();
    t.keypoints.assign(108, 0.5f);
    const std::pair<const char*, std::vector<float>*> all[] = {{"keypoints", &t.keypoints},
                                                               {"type", &t.type},
                                                               {"embedding", &t.embedding},
                                                               {"quality", &t.quality},
                                                               {"color", &t.color}};
    for (const auto& [name, values] : all) {
        t.layers.push_back(layer(name, *values));
        t.buffers.push_back(values->data());
        t.layers.back().buffer = nullptr;  // nvinfer says that it is not valid there
    }
    t.meta.unique_id = engine;
    t.meta.num_output_layers = static_cast<guint>(t.layers.size());
    t.meta.output_layers_info = t.layers.data();
    t.meta.out_buf_ptrs_host = t.buffers.data();
    NvDsBatchMeta* batch = object->base_meta.batch_meta;
    nvds_acquire_meta_lock(batch);
    NvDsUserMeta* user = nvds_acquire_user_meta_from_pool(batch);
    user->user_meta_data = &t.meta;
    user->base_meta.meta_type = NVDSINFER_TENSOR_OUTPUT_META;
    user->base_meta.copy_func = [](gpointer one, gpointer) -> gpointer {
        return static_cast<NvDsUserMeta*>(one)->user_meta_data;
    };
    user->base_meta.release_func = [](gpointer, gpointer) {};
    nvds_add_user_meta_to_obj(object, user);
    nvds_release_meta_lock(batch);
    return t;
}

/// nvinfer's own classifier meta.
void label(NvDsObjectMeta* object, gint engine = 2) {
    NvDsBatchMeta* batch = object->base_meta.batch_meta;
    nvds_acquire_meta_lock(batch);
    NvDsClassifierMeta* one = nvds_acquire_classifier_meta_from_pool(batch);
    one->unique_component_id = engine;
    nvds_add_classifier_meta_to_object(object, one);
    nvds_release_meta_lock(batch);
}

std::string settings(const std::string& more = "",
                     const std::string& head = "[pamtri]\ngie-unique-id=2\n") {
    const std::string path = folder() + "/postprocess.txt";
    std::ofstream(path) << head << "colors=blue;red\ntypes=bus;car;truck\nembedding-space=space\n"
                        << "bundle=name\n"
                        << more;
    return path;
}

std::unique_ptr<IDSPostProcessLibrary> library(const std::string& more = "") {
    auto* create = symbol<Create>("libnvds_pamtri_postprocess.so", "CreateCustomAlgoCtx");
    DSPostProcess_CreateParams given{};
    std::unique_ptr<IDSPostProcessLibrary> made(create(&given));
    EXPECT(made->SetConfigFile(settings(more).c_str()));
    return made;
}

/// A buffer with one object, on which a look may be.
struct Frame {
    GstBuffer* buffer = gst_buffer_new();
    NvDsObjectMeta* object;
    NvDsFrameMeta* frame;

    explicit Frame(guint64 id, unsigned source = 0, int number = 0) {
        NvDsBatchMeta* batch = nvds_create_batch_meta(4);
        NvDsMeta* meta = gst_buffer_add_nvds_meta(buffer, batch, nullptr, nvds_batch_meta_copy_func,
                                                  nvds_batch_meta_release_func);
        meta->meta_type = NVDS_BATCH_GST_META;
        frame = test::add_frame(batch, source, number);
        object = test::add_object(frame, id, {10, 20, 110, 80});
    }
    Frame(const Frame&) = delete;
    ~Frame() { gst_buffer_unref(buffer); }

    const PamtriVehicle* vehicle() const { return pamtri_vehicle_of(object); }
    const NvDsObjReid* reid() const {
        const auto found = test::users_of(object->obj_user_meta_list, NVDS_TRACKER_OBJ_REID_META);
        return found.empty() ? nullptr
                             : static_cast<const NvDsObjReid*>(found.back()->user_meta_data);
    }
    std::string classes() const {
        std::string text;
        for (const GList* at = object->classifier_meta_list; at; at = at->next) {
            const auto* one = static_cast<const NvDsClassifierMeta*>(at->data);
            text += std::string(one->classifier_type ? one->classifier_type : "?") + "=";
            for (const GList* l = one->label_info_list; l; l = l->next)
                text += static_cast<const NvDsLabelInfo*>(l->data)->result_label;
            text += " ";
        }
        return text;
    }
};

void process(IDSPostProcessLibrary& one, const Frame& frame) {
    EXPECT(one.ProcessBuffer(frame.buffer) == BufferResult::Buffer_Ok);
}

}  // namespace

void test::afterwards() {
    kept.clear();
    EXPECT(nvds::counts().none());
    EXPECT(nvds::counts().unlocked_changes == 0);
    nvds::reset();
    nvds::set_left({});
}

TEST(the_parser_tells_the_most_probable_color_and_type_by_name_in_any_order) {
    std::vector<float> color{0.1f, 0.7f, 0.2f}, type{0.6f, 0.4f}, embedding(8, 9.0f);
    const Parsed found =
        parse({layer("type", type), layer("embedding", embedding), layer("color", color)});
    EXPECT(found.well && found.attributes.size() == 2);
    const NvDsInferAttribute &first = found.attributes[0], &second = found.attributes[1];
    EXPECT(first.attributeIndex == 0 && first.attributeValue == 1);
    EXPECT(first.attributeConfidence == 0.7f && !first.attributeLabel);
    EXPECT(second.attributeIndex == 1 && second.attributeValue == 0);
}

TEST(the_parser_counts_lines_of_labels_by_what_the_bundle_has) {
    std::vector<float> type{0.4f, 0.6f};
    const Parsed found = parse({layer("type", type)});
    EXPECT(found.attributes.size() == 1 && found.attributes[0].attributeIndex == 0);
}

TEST(the_parser_leaves_out_what_is_below_the_threshold_or_no_number) {
    std::vector<float> color{kNone, kNone}, type{0.4f, 0.6f};
    EXPECT(parse({layer("color", color), layer("type", type)}).attributes.size() == 1);
    EXPECT(parse({layer("color", color), layer("type", type)}, 0.61f).attributes.empty());
    EXPECT(parse({}).well && parse({}).attributes.empty());
}

TEST(the_parser_refuses_outputs_that_are_not_on_the_host_in_float32) {
    std::vector<float> color{0.5f, 0.5f};
    EXPECT(!parse({layer("color", color, HALF)}).well);
    NvDsInferLayerInfo absent = layer("color", color);
    absent.buffer = nullptr;
    EXPECT(!parse({absent}).well);
}

TEST(a_vehicle_keeps_what_is_known_on_frames_that_nvinfer_did_not_look_at_it_in) {
    const auto one = library();
    {
        const Frame before(7);
        process(*one, before);
        EXPECT(!before.vehicle() && !before.reid());
        const Frame looked(7);
        look(looked.object, {3, 4}, 0.5f);
        process(*one, looked);
    }
    const Frame after(7, 0, 1);
    process(*one, after);
    const PamtriVehicle* vehicle = after.vehicle();
    EXPECT(vehicle && vehicle->embedding_size == 2 && vehicle->keypoint_count == 36);
    EXPECT(std::abs(vehicle->embedding[0] - 0.6f) < 1e-6f);
    EXPECT(std::string(vehicle->color) == "red" && std::string(vehicle->type) == "truck");
    EXPECT(std::string(vehicle->embedding_space) == "space" && vehicle->views == 1);
    EXPECT(after.classes() == "color=red vehicletype=truck ");
    EXPECT(after.reid() && after.reid()->featureSize == 2);
    EXPECT(std::string(after.object->text_params.display_text) == "car red truck");
}

TEST(views_count_by_their_quality) {
    const auto one = library();
    const Frame clear(7), blurred(7);
    look(clear.object, {1, 0}, 0.9f, {0.9f, 0.1f});
    look(blurred.object, {0, 1}, 0.1f);
    process(*one, clear);
    process(*one, blurred);
    const PamtriVehicle* vehicle = blurred.vehicle();
    EXPECT(vehicle->views == 2 && std::abs(vehicle->quality - 0.9) < 1e-6);
    EXPECT(std::abs(vehicle->embedding[1] / vehicle->embedding[0] - 1.0f / 9) < 1e-5f);
    EXPECT(std::string(vehicle->color) == "blue");
}

TEST(ids_that_repeat_across_sources_are_different_vehicles) {
    const auto one = library();
    const Frame first(7, 0), second(7, 1);
    look(first.object, {1, 0}, 1);
    process(*one, first);
    process(*one, second);
    EXPECT(first.vehicle() && !second.vehicle());
}

TEST(a_source_that_ends_takes_its_tracks_with_it) {
    for (GstEvent* event : {gst_nvevent_new_pad_deleted(1), gst_nvevent_new_stream_eos(1)}) {
        const auto one = library();
        const Frame first(7, 0), second(7, 1);
        for (const Frame* frame : {&first, &second}) {
            look(frame->object, {1, 0}, 1);
            process(*one, *frame);
        }
        EXPECT(one->HandleEvent(event));
        gst_event_unref(event);
        const Frame third(7, 0), fourth(7, 1);
        process(*one, third);
        process(*one, fourth);
        EXPECT(third.vehicle() && !fourth.vehicle());
    }
}

TEST(untracked_objects_have_what_was_seen_of_them_in_this_frame_alone) {
    const auto one = library();
    const Frame looked(UNTRACKED_OBJECT_ID), other(UNTRACKED_OBJECT_ID);
    look(looked.object, {1, 0}, 1);
    process(*one, looked);
    process(*one, other);
    EXPECT(looked.vehicle() && !other.vehicle());
}

TEST(labels_of_nvinfer_itself_are_replaced_and_not_written_twice) {
    const auto one = library();
    const Frame frame(7);
    look(frame.object, {1, 0}, 1);
    label(frame.object);
    label(frame.object, 5);
    process(*one, frame);
    EXPECT(frame.classes() == "?= color=red vehicletype=truck ");
    EXPECT(std::string(frame.object->text_params.display_text) == "car");
}

TEST(tensors_of_other_engines_and_numbers_that_cannot_be_meant_are_left_alone) {
    const auto one = library();
    const Frame frame(7);
    look(frame.object, {1, 0}, 1, {0.5f, 0.5f}, 3);
    process(*one, frame);
    EXPECT(!frame.vehicle());
    for (const auto& embedding : {std::vector<float>{0, 0}, {kNone, 1}, {}}) {
        const Frame wrong(8);
        look(wrong.object, embedding, 1);
        process(*one, wrong);
        EXPECT(!wrong.vehicle());
    }
    const Frame longer(7);
    look(longer.object, {1, 0}, 1, {0.5f, 0.3f, 0.2f});  // more colors than there are names
    process(*one, longer);
    EXPECT(!longer.vehicle());
}

TEST(tensors_that_stay_on_the_device_are_left_alone) {
    const auto one = library();
    const Frame frame(7);
    look(frame.object, {1, 0}, 1).meta.out_buf_ptrs_host = nullptr;
    process(*one, frame);
    EXPECT(!frame.vehicle());
}

TEST(messages_are_made_at_the_interval_that_is_asked_for) {
    const auto one = library("message-interval=2\ncamera=north\nreid-meta=off\n");
    for (int number = 0; number < 4; ++number) {
        const Frame frame(7, 0, number);
        look(frame.object, {1, 0}, 1);
        process(*one, frame);
        const auto found = test::users_of(frame.frame->frame_user_meta_list, NVDS_EVENT_MSG_META);
        EXPECT(found.size() == (number % 2 ? 0u : 1u) && !frame.reid());
        if (found.empty()) continue;
        const auto* message = static_cast<const NvDsEventMsgMeta*>(found[0]->user_meta_data);
        EXPECT(message->embedding.embedding_length == 2);
        EXPECT(std::string(message->sensorStr) == "north");
    }
}

TEST(full_pools_lose_metas_and_nothing_else) {
    const auto one = library();
    const Frame frame(7);
    look(frame.object, {1, 0}, 1);
    nvds::set_left({0, 0, 0});
    process(*one, frame);
    EXPECT(!frame.vehicle() && frame.classes().empty());
}

TEST(a_buffer_without_metas_passes) {
    GstBuffer* buffer = gst_buffer_new();
    EXPECT(library()->ProcessBuffer(buffer) == BufferResult::Buffer_Ok);
    gst_buffer_unref(buffer);
}

TEST(a_file_of_another_form_is_refused) {
    auto* create = symbol<Create>("libnvds_pamtri_postprocess.so", "CreateCustomAlgoCtx");
    std::unique_ptr<IDSPostProcessLibrary> one(create(nullptr));
    EXPECT(!one->SetConfigFile(nullptr));
    EXPECT(!one->SetConfigFile("/nowhere"));
    EXPECT(!one->SetConfigFile(settings("", "[property]\n").c_str()));
    for (const char* wrong :
         {"reid-meta=some\n", "gie-id=3\n", "message-interval=often\n", "message-interval=-1\n"})
        EXPECT(!one->SetConfigFile(settings(wrong).c_str()));
    EXPECT(one->SetConfigFile(settings("reid-meta=keep\n").c_str()));
}

TEST(ten_thousand_batches_leave_nothing_behind) {
    const auto one = library();
    for (int number = 0; number < 10000; ++number) {
        const Frame frame(static_cast<guint64>(number / 10), 0, number);
        if (number % 10 == 0) look(frame.object, {1, 2}, 0.5f);
        process(*one, frame);
        EXPECT(frame.vehicle());
        kept.clear();
    }
}
