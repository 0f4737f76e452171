// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The metadata of a batch: the structures and functions of DeepStream that our element uses, with
// their names and layout, of our own writing. fake_nvds.cpp lets them run; layout.cpp and
// signatures.cpp hold them against the real headers where there are some.
#pragma once

#include <glib.h>
#include <gmodule.h>

#include "nvds_version.h"
#include "nvll_osd_struct.h"

#define MAX_USER_FIELDS 4
#define MAX_RESERVED_FIELDS 4
#define MAX_LABEL_SIZE 128
#define UNTRACKED_OBJECT_ID 0xFFFFFFFFFFFFFFFF

typedef GList NvDsFrameMetaList, NvDsUserMetaList, NvDsObjectMetaList, NvDisplayMetaList,
    NvDsClassifierMetaList, NvDsLabelInfoList, NvDsMetaList;
typedef gpointer (*NvDsMetaCopyFunc)(gpointer data, gpointer user_data);
typedef void (*NvDsMetaReleaseFunc)(gpointer data, gpointer user_data);

enum NvDsMetaType {
    NVDS_INVALID_META = -1,
    NVDS_BATCH_META = 1,
    NVDS_FRAME_META,
    NVDS_OBJ_META,
    NVDS_DISPLAY_META,
    NVDS_CLASSIFIER_META,
    NVDS_LABEL_INFO_META,
    NVDS_USER_META,
    NVDS_EVENT_MSG_META = 9,
    NVDSINFER_TENSOR_OUTPUT_META = 12,
    NVDS_TRACKER_OBJ_REID_META = 17,
    NVDS_GST_CUSTOM_META = 4096,
    NVDS_START_USER_META = NVDS_GST_CUSTOM_META + 4096 + 1,
    NVDS_FORCE32_META = 0x7FFFFFFF
};

struct NvDsComp_BboxInfo {
    NvBbox_Coords org_bbox_coords;
};

struct NvDsSensorInfo_meta {
    guint source_id;
    gchar const *uri, *sensor_id, *sensor_name;
};

struct NvDsMetaPool {
    NvDsMetaType meta_type;
    guint max_elements_in_pool, element_size, num_empty_elements, num_full_elements;
    NvDsMetaList *empty_list, *full_list;
    NvDsMetaCopyFunc copy_func;
    NvDsMetaReleaseFunc release_func;
};

struct NvDsBatchMeta;

struct NvDsBaseMeta {
    NvDsBatchMeta* batch_meta;
    NvDsMetaType meta_type;
    void* uContext;
    NvDsMetaCopyFunc copy_func;
    NvDsMetaReleaseFunc release_func;
};

struct NvDsBatchMeta {
    NvDsBaseMeta base_meta;
    guint max_frames_in_batch, num_frames_in_batch;
    NvDsMetaPool *frame_meta_pool, *obj_meta_pool, *classifier_meta_pool, *display_meta_pool,
        *user_meta_pool, *label_info_meta_pool;
    NvDsFrameMetaList* frame_meta_list;
    NvDsUserMetaList* batch_user_meta_list;
    GRecMutex meta_mutex;
    gint64 misc_batch_info[MAX_USER_FIELDS];
    gint64 reserved[MAX_RESERVED_FIELDS];
};

struct NvDsFrameMeta {
    NvDsBaseMeta base_meta;
    guint pad_index, batch_id;
    gint frame_num;
    guint64 buf_pts, ntp_timestamp;
    guint source_id;
    gint num_surfaces_per_frame;
    guint source_frame_width, source_frame_height, surface_type, surface_index, num_obj_meta;
    gboolean bInferDone;
    NvDsObjectMetaList* obj_meta_list;
    NvDisplayMetaList* display_meta_list;
    NvDsUserMetaList* frame_user_meta_list;
    gint64 misc_frame_info[MAX_USER_FIELDS];
    guint pipeline_width, pipeline_height;
#if NVDS_VERSION_MAJOR >= 8
    NvDsSensorInfo_meta sensorInfo_meta;
#endif
    gint64 reserved[MAX_RESERVED_FIELDS];
};

struct NvDsObjectMeta {
    NvDsBaseMeta base_meta;
    NvDsObjectMeta* parent;
    gint unique_component_id, class_id;
    guint64 object_id;
    NvDsComp_BboxInfo detector_bbox_info, tracker_bbox_info;
    gfloat confidence, tracker_confidence;
    NvOSD_RectParams rect_params;
    NvOSD_MaskParams mask_params;
    NvOSD_TextParams text_params;
    gchar obj_label[MAX_LABEL_SIZE];
    NvDsClassifierMetaList* classifier_meta_list;
    NvDsUserMetaList* obj_user_meta_list;
    gint64 misc_obj_info[MAX_USER_FIELDS];
    gint64 reserved[MAX_RESERVED_FIELDS];
};

struct NvDsClassifierMeta {
    NvDsBaseMeta base_meta;
    guint num_labels;
    gint unique_component_id;
    NvDsLabelInfoList* label_info_list;
    const gchar* classifier_type;
};

struct NvDsLabelInfo {
    NvDsBaseMeta base_meta;
    guint num_classes;
    gchar result_label[MAX_LABEL_SIZE];
    gchar* pResult_label;
    guint result_class_id, label_id;
    gfloat result_prob;
};

struct NvDsUserMeta {
    NvDsBaseMeta base_meta;
    void* user_meta_data;
};

extern "C" {
void nvds_acquire_meta_lock(NvDsBatchMeta* batch);
void nvds_release_meta_lock(NvDsBatchMeta* batch);
NvDsBatchMeta* nvds_create_batch_meta(guint max_batch_size);
gboolean nvds_destroy_batch_meta(NvDsBatchMeta* batch);
gpointer nvds_batch_meta_copy_func(gpointer data, gpointer user_data);
void nvds_batch_meta_release_func(gpointer data, gpointer user_data);

NvDsFrameMeta* nvds_acquire_frame_meta_from_pool(NvDsBatchMeta* batch);
NvDsObjectMeta* nvds_acquire_obj_meta_from_pool(NvDsBatchMeta* batch);
NvDsClassifierMeta* nvds_acquire_classifier_meta_from_pool(NvDsBatchMeta* batch);
NvDsLabelInfo* nvds_acquire_label_info_meta_from_pool(NvDsBatchMeta* batch);
NvDsUserMeta* nvds_acquire_user_meta_from_pool(NvDsBatchMeta* batch);

void nvds_add_frame_meta_to_batch(NvDsBatchMeta* batch, NvDsFrameMeta* frame);
void nvds_add_obj_meta_to_frame(NvDsFrameMeta* frame, NvDsObjectMeta* object,
                                NvDsObjectMeta* parent);
void nvds_add_classifier_meta_to_object(NvDsObjectMeta* object, NvDsClassifierMeta* classifier);
void nvds_add_label_info_meta_to_classifier(NvDsClassifierMeta* classifier, NvDsLabelInfo* label);
void nvds_add_user_meta_to_obj(NvDsObjectMeta* object, NvDsUserMeta* user);
void nvds_add_user_meta_to_frame(NvDsFrameMeta* frame, NvDsUserMeta* user);

void nvds_remove_classifier_meta_from_obj(NvDsObjectMeta* object, NvDsClassifierMeta* classifier);
void nvds_remove_user_meta_from_object(NvDsObjectMeta* object, NvDsUserMeta* user);

NvDsMetaType nvds_get_user_meta_type(gchar* descriptor);
}
