// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "video_frame.hpp"

namespace pamtri::gst {

namespace {

/// The conversion that caps tell by their colorimetry; what they leave open is as usual for the
/// size.
Conversion conversion_of(const GstVideoInfo& info) {
    const bool full = info.colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255;
    switch (info.colorimetry.matrix) {
        case GST_VIDEO_COLOR_MATRIX_BT2020:
            return full ? kBt2020Full : kBt2020;
        case GST_VIDEO_COLOR_MATRIX_BT709:
        case GST_VIDEO_COLOR_MATRIX_SMPTE240M:  // 709 but for a step in 255
            return full ? kBt709Full : kBt709;
        case GST_VIDEO_COLOR_MATRIX_BT601:
        case GST_VIDEO_COLOR_MATRIX_FCC:  // 601 but for a step in 255
            return full ? kBt601Full : kBt601;
        default:
            break;
    }
    const bool high = usual_conversion(GST_VIDEO_INFO_HEIGHT(&info)) == kBt709;
    if (full) return high ? kBt709Full : kBt601Full;
    return high ? kBt709 : kBt601;
}

}  // namespace

FramePixels pixels_of(const GstVideoFrame& frame) {
    FramePixels pixels;
    pixels.size = {GST_VIDEO_FRAME_WIDTH(&frame), GST_VIDEO_FRAME_HEIGHT(&frame)};
    pixels.is_yuv = GST_VIDEO_INFO_IS_YUV(&frame.info);
    pixels.rule = conversion_rule(conversion_of(frame.info));
    for (guint i = 0; i < 3; ++i)
        pixels.channels[i] = {
            static_cast<const std::uint8_t*>(GST_VIDEO_FRAME_COMP_DATA(&frame, i)),
            GST_VIDEO_FRAME_COMP_STRIDE(&frame, i), GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, i),
            static_cast<int>(GST_VIDEO_FORMAT_INFO_W_SUB(frame.info.finfo, i))};
    return pixels;
}

}  // namespace pamtri::gst
