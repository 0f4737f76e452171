// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The functions of DeepStream that pipelines/deepstream calls, and how. Compiled with the fakes,
// and with the real headers where there are some, so that a fake that drifts from them is found.
#include <gst-nvevent.h>
#include <gstnvdsmeta.h>
#include <nvbufsurface.h>
#include <nvbufsurftransform.h>
#include <nvds_version.h>
#include <nvdsmeta.h>

namespace {

template <typename Signature>
constexpr bool is(Signature) {
    return true;
}

using Batch = NvDsBatchMeta;
using Frame = NvDsFrameMeta;
using Object = NvDsObjectMeta;
using Class = NvDsClassifierMeta;
using Label = NvDsLabelInfo;
using User = NvDsUserMeta;

static_assert(is<void (*)(Batch*)>(&nvds_acquire_meta_lock));
static_assert(is<void (*)(Batch*)>(&nvds_release_meta_lock));
static_assert(is<Batch* (*)(guint)>(&nvds_create_batch_meta));
static_assert(is<gboolean (*)(Batch*)>(&nvds_destroy_batch_meta));
static_assert(is<NvDsMetaCopyFunc>(&nvds_batch_meta_copy_func));
static_assert(is<NvDsMetaReleaseFunc>(&nvds_batch_meta_release_func));
static_assert(is<Frame* (*)(Batch*)>(&nvds_acquire_frame_meta_from_pool));
static_assert(is<Object* (*)(Batch*)>(&nvds_acquire_obj_meta_from_pool));
static_assert(is<Class* (*)(Batch*)>(&nvds_acquire_classifier_meta_from_pool));
static_assert(is<Label* (*)(Batch*)>(&nvds_acquire_label_info_meta_from_pool));
static_assert(is<User* (*)(Batch*)>(&nvds_acquire_user_meta_from_pool));
static_assert(is<void (*)(Batch*, Frame*)>(&nvds_add_frame_meta_to_batch));
static_assert(is<void (*)(Frame*, Object*, Object*)>(&nvds_add_obj_meta_to_frame));
static_assert(is<void (*)(Object*, Class*)>(&nvds_add_classifier_meta_to_object));
static_assert(is<void (*)(Class*, Label*)>(&nvds_add_label_info_meta_to_classifier));
static_assert(is<void (*)(Object*, User*)>(&nvds_add_user_meta_to_obj));
static_assert(is<void (*)(Frame*, User*)>(&nvds_add_user_meta_to_frame));
static_assert(is<void (*)(Object*, Class*)>(&nvds_remove_classifier_meta_from_obj));
static_assert(is<void (*)(Object*, User*)>(&nvds_remove_user_meta_from_object));
static_assert(is<NvDsMetaType (*)(gchar*)>(&nvds_get_user_meta_type));

static_assert(is<NvDsMeta* (*)(GstBuffer*, gpointer, gpointer, NvDsMetaCopyFunc,
                               NvDsMetaReleaseFunc)>(&gst_buffer_add_nvds_meta));
static_assert(is<Batch* (*)(GstBuffer*)>(&gst_buffer_get_nvds_batch_meta));
static_assert(is<User* (*)(GstBuffer*, gchar*)>(&nvds_set_input_system_timestamp));
static_assert(is<gboolean (*)(GstBuffer*, gchar*)>(&nvds_set_output_system_timestamp));
static_assert(NVDS_BATCH_GST_META == NVDS_GST_CUSTOM_META + 1);

static_assert(is<GstEvent* (*)(guint)>(&gst_nvevent_new_pad_deleted));
static_assert(is<GstEvent* (*)(guint)>(&gst_nvevent_new_stream_eos));
static_assert(is<GstEvent* (*)(guint)>(&gst_nvevent_new_stream_reset));
static_assert(is<void (*)(GstEvent*, guint*)>(&gst_nvevent_parse_pad_deleted));
static_assert(is<void (*)(GstEvent*, guint*)>(&gst_nvevent_parse_stream_eos));
static_assert(is<void (*)(GstEvent*, guint*)>(&gst_nvevent_parse_stream_reset));
constexpr unsigned kFlags = GST_EVENT_TYPE_DOWNSTREAM | GST_EVENT_TYPE_SERIALIZED |
                            GST_EVENT_TYPE_STICKY | GST_EVENT_TYPE_STICKY_MULTI;
static_assert(GST_NVEVENT_PAD_DELETED == (401 << GST_EVENT_NUM_SHIFT | kFlags));
static_assert(GST_NVEVENT_STREAM_EOS == (402 << GST_EVENT_NUM_SHIFT | kFlags));
static_assert(GST_NVEVENT_STREAM_RESET == (404 << GST_EVENT_NUM_SHIFT | kFlags));

using Frames = NvBufSurface;
static_assert(is<int (*)(Frames**, uint32_t, NvBufSurfaceCreateParams*)>(&NvBufSurfaceCreate));
static_assert(is<int (*)(Frames*)>(&NvBufSurfaceDestroy));
static_assert(is<int (*)(Frames*, int)>(&NvBufSurfaceMapEglImage));
static_assert(is<int (*)(Frames*, int)>(&NvBufSurfaceUnMapEglImage));
#if NVDS_VERSION_MAJOR >= 8
static_assert(is<int (*)(Frames*, int)>(&NvBufSurfaceMapCudaBuffer));
static_assert(is<int (*)(Frames*, int)>(&NvBufSurfaceUnMapCudaBuffer));
static_assert(is<int (*)(NvBufSurfaceDeviceInfo*)>(&NvBufSurfaceGetDeviceInfo));
#endif
using Outcome = NvBufSurfTransform_Error;
static_assert(
    is<Outcome (*)(NvBufSurfTransformConfigParams*)>(&NvBufSurfTransformSetSessionParams));
static_assert(is<Outcome (*)(Frames*, Frames*, NvBufSurfTransformParams*)>(&NvBufSurfTransform));

}  // namespace
