// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What goes to a message broker.
#pragma once

#include <glib.h>

#include "nvds_version.h"

enum NvDsEventType { NVDS_EVENT_ENTRY, NVDS_EVENT_EXIT, NVDS_EVENT_MOVING };
enum NvDsObjectType { NVDS_OBJECT_TYPE_VEHICLE, NVDS_OBJECT_TYPE_PERSON };

struct NvDsRect {
    float top, left, width, height;
};
struct NvDsGeoLocation {
    gdouble lat, lon, alt;
};
struct NvDsCoordinate {
    gdouble x, y, z;
};
struct NvDsObjectSignature {
    gdouble* signature;
    guint size;
};
struct NvDsVehicleObject {
    gchar *type, *make, *model, *color, *region, *license;
};
struct NvDsJoint;
struct NvDsJoints {
    NvDsJoint* joints;
    int num_joints, pose_type;
};
struct NvDsEmbedding {
    float* embedding_vector;
    guint embedding_length;
};
struct NvDsConvexHull {
    gint* points;
    guint numFilled;
};
struct NvDsBbox3dObject {
    float boxes_3d[12], scores_3d;
    gchar *labels_3d, *embedding_filter;
    float cls_scores;
    guint instance_ids;
    NvDsEmbedding* instance_feats;
#if NVDS_VERSION_MAJOR >= 9
    gchar* ocr_label;
#endif
};

#define MAX_SOURCE_ID_LEN 128
#define MAX_ENTRIES 100
struct SourceTimePair {
    gchar source_id[MAX_SOURCE_ID_LEN];
    guint64 timestamp;
};

struct NvDs3DTracking {
#if NVDS_VERSION_MAJOR < 9
    gfloat visibility;
#endif
    gfloat ptWorldFeet[2], ptImgFeet[2];
    NvDsConvexHull convexHull;
#if NVDS_VERSION_MAJOR >= 8
    NvDsBbox3dObject bbox3d;
#endif
};

struct NvDsLLMObject;
struct NvDsInteractionObject;
struct NvDsCongestionObject;
struct NvDsTypeMetricsObject;
struct NvDsSegmentationObject;

struct NvDsEventMsgMeta {
    NvDsEventType type;
    NvDsObjectType objType;
    NvDsRect bbox;
    NvDsGeoLocation location;
    NvDsCoordinate coordinate;
    NvDsObjectSignature objSignature;
    gint objClassId, sensorId, moduleId, placeId, componentId, frameId;
    gdouble confidence;
    guint64 trackingId;
    gchar *ts, *objectId, *sensorStr;
#if NVDS_VERSION_MAJOR >= 8
    SourceTimePair entries[MAX_ENTRIES];
    int count;
    NvDsBbox3dObject* bbox3d;
    NvDsLLMObject* llm;
    gint num_interactions;
    NvDsInteractionObject* interactions;
    gint num_congestions;
    NvDsCongestionObject* congestions;
    gint num_fov;
    NvDsTypeMetricsObject* fov;
    NvDsSegmentationObject* segmentation;
#endif
    gchar *otherAttrs, *videoPath;
    gpointer extMsg;
    guint extMsgSize;
    NvDsJoints pose;
    NvDsEmbedding embedding;
    bool has3DTracking;
    NvDs3DTracking singleView3DTracking;
#if NVDS_VERSION_MAJOR >= 9
    gfloat visibility;
#endif
};
