// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// A library for nvdspostprocess, behind a secondary nvinfer with output-tensor-meta=1: puts what is
// known of each vehicle on every frame, also those that nvinfer did not look at it in.
//
//   nvdspostprocess postprocesslib-name=plugin/libnvds_pamtri_postprocess.so
//                   postprocesslib-config-file=postprocess.txt
#include <cuda_runtime_api.h>
#include <gst-nvevent.h>
#include <gst/base/gstbasetransform.h>
#include <gstnvdsinfer.h>
#include <gstnvdsmeta.h>
#include <nvds_latency_meta.h>

#include <cstring>
#include <exception>
#include <memory>
#include <nvdspostprocesslib_interface.hpp>
#include <string>
#include <utility>
#include <vector>

#include "attach.hpp"
#include "looks.hpp"
#include "message.hpp"
#include "postprocess_settings.hpp"

namespace pamtri::nvinfer {

namespace {

template <typename T, typename Each>
void for_each(const GList* list, Each each) {
    for (const GList *at = list, *next = nullptr; at; at = next) {
        next = at->next;  // `each` may take this one off the list
        each(static_cast<T*>(at->data));
    }
}

core::Fusion::Values values_of(const NvDsInferTensorMeta& meta, const char* name) {
    for (guint i = 0; i < meta.num_output_layers; ++i) {
        const NvDsInferLayerInfo& layer = meta.output_layers_info[i];
        if (layer.dataType != FLOAT || std::strcmp(layer.layerName, name) != 0) continue;
        if (meta.out_buf_ptrs_host && meta.out_buf_ptrs_host[i])
            return {static_cast<const float*>(meta.out_buf_ptrs_host[i]),
                    layer.inferDims.numElements};
    }
    return {};
}

const NvDsInferTensorMeta* tensors_of(const NvDsObjectMeta* object, guint engine) {
    const NvDsInferTensorMeta* found = nullptr;
    for_each<NvDsUserMeta>(object->obj_user_meta_list, [&](const NvDsUserMeta* user) {
        if (user->base_meta.meta_type != NVDSINFER_TENSOR_OUTPUT_META) return;
        const auto* meta = static_cast<const NvDsInferTensorMeta*>(user->user_meta_data);
        if (meta && meta->unique_id == engine) found = meta;
    });
    return found;
}

/// Take nvinfer's own classes off an object: they say less, and the second of two hides the first.
/// @return whether there were some, whose text is then on the object already
bool remove_classes(NvDsObjectMeta* object, gint engine) {
    bool removed = false;
    for_each<NvDsClassifierMeta>(object->classifier_meta_list, [&](NvDsClassifierMeta* one) {
        if (one->unique_component_id != engine) return;
        nvds_remove_classifier_meta_from_obj(object, one);
        removed = true;
    });
    return removed;
}

class Library final : public IDSPostProcessLibrary {
  public:
    explicit Library(GstBaseTransform* element) : element_(element) {}

    bool SetConfigFile(const gchar* path) override {
        try {
            settings_ = read_settings(path);
            looks_ = std::make_unique<Looks>(settings_.names);
            return true;
        } catch (const std::exception& error) {
            g_warning("pamtri: %s", error.what());
            return false;
        }
    }

    bool HandleEvent(GstEvent* event) override {
        guint source = 0;
        const auto type = static_cast<guint>(GST_EVENT_TYPE(event));
        if (type == GST_NVEVENT_STREAM_EOS)
            gst_nvevent_parse_stream_eos(event, &source);
        else if (type == GST_NVEVENT_PAD_DELETED)
            gst_nvevent_parse_pad_deleted(event, &source);
        else
            return true;
        if (looks_) looks_->forget(source);
        return true;
    }

    BufferResult ProcessBuffer(GstBuffer* buffer) override {
        NvDsBatchMeta* batch = gst_buffer_get_nvds_batch_meta(buffer);
        if (!batch || !looks_) return BufferResult::Buffer_Ok;
        if (element_) nvds_set_input_system_timestamp(buffer, GST_ELEMENT_NAME(element_));
        nvds_acquire_meta_lock(batch);
        std::vector<Told> plain, labeled;
        for_each<NvDsFrameMeta>(batch->frame_meta_list, [&](NvDsFrameMeta* frame) {
            for_each<NvDsObjectMeta>(frame->obj_meta_list, [&](NvDsObjectMeta* object) {
                auto known = look_at(frame, object);
                if (!known) return;
                auto& into =
                    remove_classes(object, settings_.attach.component_id) ? labeled : plain;
                into.push_back({frame, object, std::move(known)});
            });
        });
        tell(plain);
        tell(labeled);
        nvds_release_meta_lock(batch);
        put(batch, plain, settings_.attach.text);
        put(batch, labeled, false);
        looks_->next_batch();
        return BufferResult::Buffer_Ok;
    }

  private:
    struct Told {
        NvDsFrameMeta* frame;
        NvDsObjectMeta* object;
        Looks::Shared known;
    };

    Looks::Shared look_at(const NvDsFrameMeta* frame, const NvDsObjectMeta* object) {
        const bool untracked = object->object_id == UNTRACKED_OBJECT_ID;
        const auto* meta = tensors_of(object, static_cast<guint>(settings_.attach.component_id));
        try {
            if (meta) {
                const Look look{values_of(*meta, "embedding"), values_of(*meta, "color"),
                                values_of(*meta, "type"), values_of(*meta, "keypoints"),
                                values_of(*meta, "quality")};
                return untracked ? looks_->once(look)
                                 : looks_->add(frame->pad_index, object->object_id, look);
            }
        } catch (const std::exception& error) {
            if (!warned_) g_warning("pamtri: a vehicle was left out: %s", error.what());
            warned_ = true;
        }
        return untracked ? nullptr : looks_->known(frame->pad_index, object->object_id);
    }

    void tell(const std::vector<Told>& some) {
        if (settings_.message_interval == 0) return;
        for (const Told& one : some) {
            if (one.frame->frame_num % settings_.message_interval) continue;
            deepstream::add_message(one.frame, one.object, *one.known,
                                    {settings_.attach.component_id, settings_.camera, {}});
        }
    }

    void put(NvDsBatchMeta* batch, const std::vector<Told>& some, bool text) {
        if (some.empty()) return;
        deepstream::AttachSpec spec = settings_.attach;
        spec.text = text;
        deepstream::Attacher attacher(batch, spec);
        for (const Told& one : some) attacher.attach(one.object, one.known);
        if (attacher.lost() && !full_)
            g_warning("pamtri: the batch's pools of metas are full; some vehicles stay without.");
        full_ = full_ || attacher.lost();
    }

    GstBaseTransform* element_;
    PostprocessSettings settings_;
    std::unique_ptr<Looks> looks_;
    bool warned_ = false, full_ = false;
};

}  // namespace

}  // namespace pamtri::nvinfer

/// As nvdspostprocess calls it once; it deletes what it gets.
extern "C" __attribute__((visibility("default"))) IDSPostProcessLibrary* CreateCustomAlgoCtx(
    DSPostProcess_CreateParams* given) {
    return new pamtri::nvinfer::Library(given ? given->m_element : nullptr);
}
