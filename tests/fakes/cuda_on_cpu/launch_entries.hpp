// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The functions of launch.hpp as a Python test can call them.
#pragma once

#include "launch.hpp"

extern "C" {

int cpp_decode(const void* heatmaps, int type, int maps, int side, int crop_units,
               float* keypoints) {
    return pamtri::cuda::decode(heatmaps, static_cast<pamtri::cuda::Type>(type), maps, side,
                                crop_units != 0, keypoints, nullptr);
}

int cpp_segments(const float* keypoints, int vehicles, const int (*corners)[4], int count,
                 float threshold, int size, int type, void* out) {
    return pamtri::cuda::segments(keypoints, vehicles, 36, corners, count, threshold, size,
                                  static_cast<pamtri::cuda::Type>(type), out, nullptr);
}

int cpp_stack(const pamtri::StackTask* task, int vehicles, int type) {
    return pamtri::cuda::stack(*task, vehicles, static_cast<pamtri::cuda::Type>(type), nullptr);
}

int cpp_crop(const pamtri::cuda::Crop* crops, int count, int form, int conversion, int swap,
             int size, int type, int layout, void* out) {
    const pamtri::cuda::CropOptions options{static_cast<pamtri::PixelForm>(form),
                                            static_cast<pamtri::Conversion>(conversion),
                                            swap != 0,
                                            size,
                                            static_cast<pamtri::cuda::Type>(type),
                                            static_cast<pamtri::Layout>(layout)};
    return pamtri::cuda::crop(crops, count, options, out, nullptr);
}

int cpp_widen(const unsigned char* const* pictures, int count, int values, float* out) {
    return pamtri::cuda::widen(pictures, count, values, out, nullptr);
}

int cpp_usual_conversion(int height) { return pamtri::usual_conversion(height); }
}
