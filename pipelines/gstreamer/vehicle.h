// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What the element pamtri knows of a vehicle, on every buffer: the C interface for elements, probes
// and programs. Python reads it through pamtri_edge.gst.
#pragma once

#include <gst/gst.h>

#if defined(_WIN32)
#define PAMTRI_GST_API
#else
#define PAMTRI_GST_API __attribute__((visibility("default")))
#endif

G_BEGIN_DECLS

/// The id of a vehicle that no tracker follows.
#define PAMTRI_UNTRACKED G_MAXUINT64

typedef enum {
    PAMTRI_VEHICLE_PENDING = 0,     ///< none of its views is embedded yet
    PAMTRI_VEHICLE_ANSWERED = 1,    ///< a view that passed the gate is
    PAMTRI_VEHICLE_BELOW_GATE = 2,  ///< embedded, but no view passed the gate so far
} PamtriVehicleState;

/// A vehicle in a frame. Pointers are valid as long as the buffer; what is absent is NULL or 0.
typedef struct {
    guint64 track_id;        ///< as the tracker gave it, or PAMTRI_UNTRACKED
    gdouble x1, y1, x2, y2;  ///< its box in pixels of this buffer's frame
    gint32 state;            ///< PamtriVehicleState
    gint32 views;            ///< how many of its views are embedded
    gdouble quality;         ///< pose quality of the best view, 0 to 1; -1 for none
    gdouble color_probability, type_probability;
    const gchar* object_type;   ///< what the detector calls it
    const gchar* color;         ///< label of the most probable color
    const gchar* type;          ///< label of the most probable type
    const gfloat* embedding;    ///< of unit length
    const gfloat* color_probs;  ///< in the order of the bundle's names
    const gfloat* type_probs;
    const gfloat* keypoints;  ///< rows of x, y, confidence; x and y in parts of the box, 0 to 1
    guint32 embedding_size, color_count, type_count, keypoint_count;
    const gchar* embedding_space;  ///< embeddings compare only within one
    const gchar* bundle;
} PamtriVehicle;

/// How many vehicles pamtri found on a buffer.
PAMTRI_GST_API guint pamtri_buffer_vehicle_count(GstBuffer* buffer);

/// Read one of them.
///
/// @param vehicle filled in
/// @param size sizeof(PamtriVehicle), as the caller was compiled
/// @return FALSE where there is no such vehicle, or the caller's structure is of another version
PAMTRI_GST_API gboolean pamtri_buffer_get_vehicle(GstBuffer* buffer, guint index,
                                                  PamtriVehicle* vehicle, gsize size);

/// The type of the metadata, for gst_buffer_iterate_meta_filtered and the like.
PAMTRI_GST_API GType pamtri_vehicle_meta_api_get_type(void);

G_END_DECLS
