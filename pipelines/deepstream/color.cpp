// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "color.hpp"

namespace pamtri::deepstream {

std::optional<PixelRule> pixel_rule(NvBufSurfaceColorFormat format) {
    switch (format) {
        case NVBUF_COLOR_FORMAT_NV12:
            return PixelRule{kNv12Sited, kBt601, false};
        case NVBUF_COLOR_FORMAT_NV12_ER:
            return PixelRule{kNv12Sited, kBt601Full, false};
        case NVBUF_COLOR_FORMAT_NV12_709:
            return PixelRule{kNv12Sited, kBt709, false};
        case NVBUF_COLOR_FORMAT_NV12_709_ER:
            return PixelRule{kNv12Sited, kBt709Full, false};
        case NVBUF_COLOR_FORMAT_NV12_2020:
            return PixelRule{kNv12Sited, kBt2020, false};
        case NVBUF_COLOR_FORMAT_RGBA:
        case NVBUF_COLOR_FORMAT_RGBx:
            return PixelRule{kRgba, kBt601, false};
        case NVBUF_COLOR_FORMAT_BGRA:
        case NVBUF_COLOR_FORMAT_BGRx:
            return PixelRule{kRgba, kBt601, true};
        case NVBUF_COLOR_FORMAT_RGB:
            return PixelRule{kRgb, kBt601, false};
        case NVBUF_COLOR_FORMAT_BGR:
            return PixelRule{kRgb, kBt601, true};
        default:
            return std::nullopt;
    }
}

std::string conversion_name(Conversion conversion) {
    switch (conversion) {
        case kBt601:
            return "bt601";
        case kBt709:
            return "bt709";
        case kBt601Full:
            return "bt601-full";
        case kBt709Full:
            return "bt709-full";
        case kBt2020:
            return "bt2020";
        case kBt2020Full:
            return "bt2020-full";
    }
    return "";
}

std::string plane_name(const PixelRule& rule) {
    return std::string(rule.swapped ? "bgr" : "rgb") + (rule.form == kRgba ? "a" : "");
}

std::string words_of(NvBufSurfaceColorFormat format) {
    const auto name = [format]() -> std::string {
        switch (format) {
            case NVBUF_COLOR_FORMAT_INVALID:
                return "invalid";
            case NVBUF_COLOR_FORMAT_GRAY8:
                return "GRAY8";
            case NVBUF_COLOR_FORMAT_YUV420:
            case NVBUF_COLOR_FORMAT_YUV420_ER:
            case NVBUF_COLOR_FORMAT_YUV420_709:
            case NVBUF_COLOR_FORMAT_YUV420_709_ER:
            case NVBUF_COLOR_FORMAT_YUV420_2020:
                return "I420";
            case NVBUF_COLOR_FORMAT_NV21:
            case NVBUF_COLOR_FORMAT_NV21_ER:
                return "NV21";
            case NVBUF_COLOR_FORMAT_UYVY:
            case NVBUF_COLOR_FORMAT_UYVY_ER:
                return "UYVY";
            case NVBUF_COLOR_FORMAT_NV12_10LE:
            case NVBUF_COLOR_FORMAT_NV12_10LE_ER:
            case NVBUF_COLOR_FORMAT_NV12_10LE_709:
            case NVBUF_COLOR_FORMAT_NV12_10LE_709_ER:
            case NVBUF_COLOR_FORMAT_NV12_10LE_2020:
                return "NV12 of 10 bits";
            default:
                return "";
        }
    }();
    const std::string number = "number " + std::to_string(static_cast<int>(format));
    return name.empty() ? number : name + " (" + number + ")";
}

}  // namespace pamtri::deepstream
