// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Boxes and texts on the screen, as far as objects have them.
#pragma once

#include "nvds_version.h"

struct NvBbox_Coords {
    float left, top, width, height;
};

struct NvOSD_ColorParams {
    double red, green, blue, alpha;
};

struct NvOSD_FontParams {
    char* font_name;
    unsigned int font_size;
    NvOSD_ColorParams font_color;
};

struct NvOSD_TextParams {
    char* display_text;  // the object's: g_free
    unsigned int x_offset, y_offset;
    NvOSD_FontParams font_params;
    int set_bg_clr;
    NvOSD_ColorParams text_bg_clr;
};

struct NvOSD_RectParams {
    float left, top, width, height;
    unsigned int border_width;
    NvOSD_ColorParams border_color;
    unsigned int has_bg_color, reserved;
    NvOSD_ColorParams bg_color;
    int has_color_info, color_id;
#if NVDS_VERSION_MAJOR >= 9
    float rotation_angle;
#endif
};

struct NvOSD_MaskParams {
    float* data;
    unsigned int size;
    float threshold;
    unsigned int width, height;
};
