// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "attach.hpp"

#include <nvds_tracker_meta.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "most_probable.hpp"
#include "vehicle_user_meta.h"
#include "vehicle_view.hpp"

namespace pamtri::deepstream {

namespace {

using Shared = std::shared_ptr<const gst::Known>;

/// A payload whose first member is what readers are promised, and what keeps its pointers valid.
struct VehiclePayload {
    PamtriVehicle vehicle;
    Shared known;
    std::string label;
};
struct ReidPayload {
    NvDsObjReid reid;
    Shared known;
};

VehiclePayload* new_payload(guint64 id, const core::Box& box, std::string label, Shared known) {
    auto* made = new VehiclePayload{{}, std::move(known), std::move(label)};
    made->vehicle = gst::view_of(id, box, made->label.empty() ? nullptr : made->label.c_str(),
                                 made->known.get());
    return made;
}

/// DeepStream gives both functions the user meta, not what it holds.
template <typename Payload>
Payload* payload_of(gpointer user) {
    return static_cast<Payload*>(static_cast<NvDsUserMeta*>(user)->user_meta_data);
}

gpointer copy_vehicle(gpointer user, gpointer) {
    const auto* from = payload_of<VehiclePayload>(user);
    if (!from) return nullptr;
    const PamtriVehicle& one = from->vehicle;
    return new_payload(one.track_id, {one.x1, one.y1, one.x2, one.y2}, from->label, from->known);
}

gpointer copy_reid(gpointer user, gpointer) {
    const auto* from = payload_of<ReidPayload>(user);
    return from ? new ReidPayload(*from) : nullptr;
}

template <typename Payload>
void release(gpointer user, gpointer) {
    delete payload_of<Payload>(user);
    static_cast<NvDsUserMeta*>(user)->user_meta_data = nullptr;
}

/// Write a text into a label of DeepStream's; one that is too long stands beside it.
void write_label(NvDsLabelInfo* label, const std::string& text) {
    g_strlcpy(label->result_label, text.c_str(), MAX_LABEL_SIZE);
    if (text.size() >= MAX_LABEL_SIZE) label->pResult_label = g_strdup(text.c_str());
}

void append_text(NvDsObjectMeta* object, const gst::Known& known) {
    std::string text;
    for (const std::string* word : {&known.color, &known.type})
        if (!word->empty()) text += " " + *word;
    gchar*& shown = object->text_params.display_text;
    if (text.empty() || !shown) return;  // who wants no text of the object wants none of ours
    gchar* longer = g_strconcat(shown, text.c_str(), nullptr);
    g_free(std::exchange(shown, longer));
}

}  // namespace

core::Box box_of(const NvDsObjectMeta* object) {
    const NvOSD_RectParams& rect = object->rect_params;
    return {rect.left, rect.top, static_cast<double>(rect.left) + rect.width,
            static_cast<double>(rect.top) + rect.height};
}

std::string label_of(const NvDsObjectMeta* object) {
    return {object->obj_label, std::find(object->obj_label, object->obj_label + MAX_LABEL_SIZE, 0)};
}

Attacher::Attacher(NvDsBatchMeta* batch, const AttachSpec& spec)
    : batch_(batch), spec_(spec), vehicle_type_(pamtri_vehicle_user_meta_type()) {
    nvds_acquire_meta_lock(batch_);
}

Attacher::~Attacher() { nvds_release_meta_lock(batch_); }

void Attacher::attach(NvDsObjectMeta* object, const Shared& known) {
    if (!known) return;
    if (!known->color.empty())
        attach_class(object, "color", 0, known->color, known->color_probability,
                     core::place_of_most_probable(known->color_probs));
    if (!known->type.empty())
        attach_class(object, "vehicletype", 1, known->type, known->type_probability,
                     core::place_of_most_probable(known->type_probs));
    auto* payload = new_payload(object->object_id, box_of(object), label_of(object), known);
    if (!add_user(object, vehicle_type_, payload, copy_vehicle, release<VehiclePayload>))
        delete payload;
    if (spec_.reid != ReidMeta::kOff && !known->embedding.empty()) attach_reid(object, known);
    if (spec_.text) append_text(object, *known);
}

void Attacher::attach_class(NvDsObjectMeta* object, const char* kind, unsigned place,
                            const std::string& label, double probability, std::size_t number) {
    NvDsClassifierMeta* classifier = nvds_acquire_classifier_meta_from_pool(batch_);
    if (!classifier) {
        ++lost_;
        return;
    }
    classifier->unique_component_id = spec_.component_id;
    classifier->classifier_type = kind;
    nvds_add_classifier_meta_to_object(object, classifier);
    NvDsLabelInfo* info = nvds_acquire_label_info_meta_from_pool(batch_);
    if (!info) {
        // A classifier without a label crashes readers; only what stands on an object can go back.
        nvds_remove_classifier_meta_from_obj(object, classifier);
        ++lost_;
        return;
    }
    info->label_id = place;
    info->result_class_id = static_cast<guint>(number);
    info->result_prob = static_cast<gfloat>(probability);
    write_label(info, label);
    nvds_add_label_info_meta_to_classifier(classifier, info);
}

void Attacher::attach_reid(NvDsObjectMeta* object, const Shared& known) {
    std::vector<NvDsUserMeta*> others;
    for (NvDsUserMetaList* at = object->obj_user_meta_list; at; at = at->next) {
        auto* user = static_cast<NvDsUserMeta*>(at->data);
        if (user->base_meta.meta_type == NVDS_TRACKER_OBJ_REID_META) others.push_back(user);
    }
    if (!others.empty() && spec_.reid == ReidMeta::kKeep) return;
    // Readers take it for the tracker's, but do not write to it.
    auto* payload = new ReidPayload{{static_cast<std::uint32_t>(known->embedding.size()),
                                     const_cast<float*>(known->embedding.data()), nullptr},
                                    known};
    if (!add_user(object, NVDS_TRACKER_OBJ_REID_META, payload, copy_reid, release<ReidPayload>)) {
        delete payload;
        return;
    }
    for (NvDsUserMeta* other : others) nvds_remove_user_meta_from_object(object, other);
}

bool Attacher::add_user(NvDsObjectMeta* object, NvDsMetaType type, void* data,
                        NvDsMetaCopyFunc copy, NvDsMetaReleaseFunc release) {
    NvDsUserMeta* user = nvds_acquire_user_meta_from_pool(batch_);
    if (!user) {
        ++lost_;
        return false;
    }
    user->user_meta_data = data;
    user->base_meta.meta_type = type;
    user->base_meta.copy_func = copy;
    user->base_meta.release_func = release;
    user->base_meta.batch_meta = batch_;
    nvds_add_user_meta_to_obj(object, user);
    return true;
}

}  // namespace pamtri::deepstream
