// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "video_frame.hpp"

namespace pamtri::gst {

namespace {

/// The conversion that caps tell by their colorimetry; what they leave open is as usual for the
/// size.
ConversionRule rule_of_caps(const GstVideoInfo& info) {
    const bool full = info.colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255;
    double kr = 0, kb = 0;
    if (gst_video_color_matrix_get_Kr_Kb(info.colorimetry.matrix, &kr, &kb))
        return cpu::rule_of(kr, kb, full);
    const bool high = usual_conversion(GST_VIDEO_INFO_HEIGHT(&info)) == kBt709;
    return conversion_rule(high ? (full ? kBt709Full : kBt709) : (full ? kBt601Full : kBt601));
}

/// Where caps say that chroma lies; where they say nothing, as most decoders' streams mean it.
cpu::ChromaSite site_of(const GstVideoInfo& info) {
    if (info.chroma_site == GST_VIDEO_CHROMA_SITE_UNKNOWN) return {};
    return {(info.chroma_site & GST_VIDEO_CHROMA_SITE_H_COSITED) != 0,
            (info.chroma_site & GST_VIDEO_CHROMA_SITE_V_COSITED) != 0};
}

}  // namespace

bool read_form(const GstCaps* caps, GstVideoInfo* form) {
    if (!gst_video_info_from_caps(form, caps)) return false;
    // GStreamer overwrites the place of chroma where caps tell that, but no colorimetry.
    const gchar* site = gst_structure_get_string(gst_caps_get_structure(caps, 0), "chroma-site");
    form->chroma_site =
        site ? gst_video_chroma_site_from_string(site) : GST_VIDEO_CHROMA_SITE_UNKNOWN;
    return true;
}

FramePixels pixels_of(const GstVideoFrame& frame) {
    FramePixels pixels;
    pixels.size = {GST_VIDEO_FRAME_WIDTH(&frame), GST_VIDEO_FRAME_HEIGHT(&frame)};
    pixels.is_yuv = GST_VIDEO_INFO_IS_YUV(&frame.info);
    pixels.rule = rule_of_caps(frame.info);
    pixels.site = site_of(frame.info);
    for (guint i = 0; i < 3; ++i)
        pixels.channels[i] = {
            static_cast<const std::uint8_t*>(GST_VIDEO_FRAME_COMP_DATA(&frame, i)),
            GST_VIDEO_FRAME_COMP_STRIDE(&frame, i), GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, i)};
    return pixels;
}

}  // namespace pamtri::gst
