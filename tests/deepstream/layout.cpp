// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Where the fields lie that we read or write, and how large the structures are that we make or
// copy: printed by what is compiled with the fakes, and by what is compiled with the real headers.
#include <nvbufsurface.h>
#include <nvbufsurftransform.h>
#include <nvds_tracker_meta.h>
#include <nvds_version.h>
#include <nvdsmeta.h>
#include <nvdsmeta_schema.h>

#include <cstddef>
#include <cstdio>

#define SIZE(type) std::printf(#type " %zu\n", sizeof(type))
#define FIELD(type, field) \
    std::printf(#type "." #field " %zu %zu\n", offsetof(type, field), sizeof(type::field))
#define VALUE(name) std::printf(#name " %lld\n", static_cast<long long>(name))

int main() {
    FIELD(NvDsBaseMeta, batch_meta);
    FIELD(NvDsBaseMeta, meta_type);
    FIELD(NvDsBaseMeta, copy_func);
    FIELD(NvDsBaseMeta, release_func);
    FIELD(NvDsBatchMeta, num_frames_in_batch);
    FIELD(NvDsBatchMeta, frame_meta_list);
    FIELD(NvDsBatchMeta, meta_mutex);
    SIZE(NvDsBatchMeta);
    FIELD(NvDsFrameMeta, pad_index);
    FIELD(NvDsFrameMeta, batch_id);
    FIELD(NvDsFrameMeta, frame_num);
    FIELD(NvDsFrameMeta, buf_pts);
    FIELD(NvDsFrameMeta, ntp_timestamp);
    FIELD(NvDsFrameMeta, source_id);
    FIELD(NvDsFrameMeta, source_frame_width);
    FIELD(NvDsFrameMeta, source_frame_height);
    FIELD(NvDsFrameMeta, obj_meta_list);
    FIELD(NvDsFrameMeta, frame_user_meta_list);
#if NVDS_VERSION_MAJOR >= 8
    FIELD(NvDsFrameMeta, sensorInfo_meta);
    FIELD(NvDsSensorInfo_meta, sensor_id);
    FIELD(NvDsSensorInfo_meta, sensor_name);
#endif
    SIZE(NvDsFrameMeta);
    FIELD(NvDsObjectMeta, class_id);
    FIELD(NvDsObjectMeta, object_id);
    FIELD(NvDsObjectMeta, unique_component_id);
    FIELD(NvDsObjectMeta, confidence);
    FIELD(NvDsObjectMeta, rect_params);
    FIELD(NvDsObjectMeta, text_params);
    FIELD(NvDsObjectMeta, obj_label);
    FIELD(NvDsObjectMeta, classifier_meta_list);
    FIELD(NvDsObjectMeta, obj_user_meta_list);
    SIZE(NvDsObjectMeta);
    FIELD(NvOSD_RectParams, left);
    FIELD(NvOSD_RectParams, top);
    FIELD(NvOSD_RectParams, width);
    FIELD(NvOSD_RectParams, height);
    SIZE(NvOSD_RectParams);
    FIELD(NvOSD_TextParams, display_text);
    SIZE(NvOSD_TextParams);
    FIELD(NvDsClassifierMeta, num_labels);
    FIELD(NvDsClassifierMeta, unique_component_id);
    FIELD(NvDsClassifierMeta, label_info_list);
    FIELD(NvDsClassifierMeta, classifier_type);
    FIELD(NvDsLabelInfo, result_label);
    FIELD(NvDsLabelInfo, pResult_label);
    FIELD(NvDsLabelInfo, result_class_id);
    FIELD(NvDsLabelInfo, label_id);
    FIELD(NvDsLabelInfo, result_prob);
    FIELD(NvDsUserMeta, user_meta_data);
    SIZE(NvDsUserMeta);
    FIELD(NvDsObjReid, featureSize);
    FIELD(NvDsObjReid, ptr_host);
    FIELD(NvDsObjReid, ptr_dev);
    SIZE(NvDsObjReid);
    FIELD(NvDsEventMsgMeta, type);
    FIELD(NvDsEventMsgMeta, objType);
    FIELD(NvDsEventMsgMeta, bbox);
    FIELD(NvDsEventMsgMeta, sensorId);
    FIELD(NvDsEventMsgMeta, frameId);
    FIELD(NvDsEventMsgMeta, confidence);
    FIELD(NvDsEventMsgMeta, trackingId);
    FIELD(NvDsEventMsgMeta, ts);
    FIELD(NvDsEventMsgMeta, objectId);
    FIELD(NvDsEventMsgMeta, sensorStr);
    FIELD(NvDsEventMsgMeta, otherAttrs);
    FIELD(NvDsEventMsgMeta, extMsg);
    FIELD(NvDsEventMsgMeta, extMsgSize);
    FIELD(NvDsEventMsgMeta, pose);
    FIELD(NvDsEventMsgMeta, embedding);
    SIZE(NvDsEventMsgMeta);
    FIELD(NvDsEmbedding, embedding_vector);
    FIELD(NvDsEmbedding, embedding_length);
    FIELD(NvDsVehicleObject, type);
    FIELD(NvDsVehicleObject, color);
    SIZE(NvDsVehicleObject);
    FIELD(NvDsRect, left);
    FIELD(NvDsRect, top);
    FIELD(NvBufSurface, gpuId);
    FIELD(NvBufSurface, batchSize);
    FIELD(NvBufSurface, numFilled);
    FIELD(NvBufSurface, memType);
    FIELD(NvBufSurface, surfaceList);
    SIZE(NvBufSurface);
    FIELD(NvBufSurfaceParams, width);
    FIELD(NvBufSurfaceParams, height);
    FIELD(NvBufSurfaceParams, colorFormat);
    FIELD(NvBufSurfaceParams, layout);
    FIELD(NvBufSurfaceParams, dataPtr);
    FIELD(NvBufSurfaceParams, planeParams);
    FIELD(NvBufSurfaceParams, mappedAddr);
    SIZE(NvBufSurfaceParams);
    FIELD(NvBufSurfacePlaneParams, num_planes);
    FIELD(NvBufSurfacePlaneParams, pitch);
    FIELD(NvBufSurfacePlaneParams, offset);
    FIELD(NvBufSurfaceMappedAddr, eglImage);
#if NVDS_VERSION_MAJOR >= 8
    FIELD(NvBufSurfaceMappedAddr, cudaPtr);
    FIELD(NvBufSurfaceCudaBuffer, dataPtr);
    SIZE(NvBufSurfaceDeviceInfo);
    VALUE(NVBUF_DRIVER_TYPE_RM);
#endif
    SIZE(NvBufSurfaceCreateParams);
    FIELD(NvBufSurfaceCreateParams, colorFormat);
    FIELD(NvBufSurfaceCreateParams, layout);
    FIELD(NvBufSurfaceCreateParams, memType);
    SIZE(NvBufSurfTransformConfigParams);
    FIELD(NvBufSurfTransformConfigParams, gpu_id);
    SIZE(NvBufSurfTransformParams);
    FIELD(NvBufSurfTransformParams, transform_filter);
    VALUE(NVBUF_COLOR_FORMAT_NV12);
    VALUE(NVBUF_COLOR_FORMAT_NV12_ER);
    VALUE(NVBUF_COLOR_FORMAT_NV21);
    VALUE(NVBUF_COLOR_FORMAT_UYVY);
    VALUE(NVBUF_COLOR_FORMAT_RGBA);
    VALUE(NVBUF_COLOR_FORMAT_BGRA);
    VALUE(NVBUF_COLOR_FORMAT_RGBx);
    VALUE(NVBUF_COLOR_FORMAT_BGRx);
    VALUE(NVBUF_COLOR_FORMAT_RGB);
    VALUE(NVBUF_COLOR_FORMAT_BGR);
    VALUE(NVBUF_COLOR_FORMAT_NV12_10LE);
    VALUE(NVBUF_COLOR_FORMAT_NV12_10LE_2020);
    VALUE(NVBUF_COLOR_FORMAT_YUV420_ER);
    VALUE(NVBUF_COLOR_FORMAT_YUV420_2020);
    VALUE(NVBUF_COLOR_FORMAT_NV12_709);
    VALUE(NVBUF_COLOR_FORMAT_NV12_709_ER);
    VALUE(NVBUF_COLOR_FORMAT_NV12_2020);
    VALUE(NVBUF_LAYOUT_BLOCK_LINEAR);
    VALUE(NVBUF_MEM_CUDA_UNIFIED);
    VALUE(NVBUF_MEM_SURFACE_ARRAY);
    VALUE(NVBUF_MEM_HANDLE);
    VALUE(NVBUF_MEM_SYSTEM);
    VALUE(NVBUFSURF_TRANSFORM_FILTER);
    VALUE(NvBufSurfTransformInter_Nearest);
    VALUE(NvBufSurfTransformError_Execution_Error);
    VALUE(NVDS_EVENT_MSG_META);
    VALUE(NVDS_TRACKER_OBJ_REID_META);
    VALUE(NVDS_START_USER_META);
    VALUE(NVDS_EVENT_MOVING);
    VALUE(NVDS_OBJECT_TYPE_VEHICLE);
    VALUE(MAX_LABEL_SIZE);
    VALUE(NVDS_VERSION_MAJOR);
}
