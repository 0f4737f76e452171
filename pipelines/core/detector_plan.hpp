// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// How a detector's network is fed and read: what `pamtri detector describe` has found in its graph.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "decoding.hpp"
#include "detections.hpp"
#include "detector_classes.hpp"

namespace pamtri::core {

/// An input of a network.
struct NetworkInput {
    std::size_t number = 0;
    std::vector<std::size_t> shape;
    std::string type;  ///< f32, f16 or u8; of a size i64, i32 or f32
};

/// The input that takes pictures, and what is done to a picture for it.
struct PictureInput {
    NetworkInput input;  ///< of a batch larger than 1 the first picture alone is filled
    FrameSize size;
    bool channels_last = false;                       ///< (..., H, W, 3) instead of (..., 3, H, W)
    bool bgr = false;                                 ///< blue first
    float divisor = 255;                              ///< of values 0 to 255
    std::array<float, 3> mean{}, deviation{1, 1, 1};  ///< then subtracted, divided by; red first
    Fit fit = Fit::kCenter;
};

struct DetectorPlan {
    std::string file, sha256;  ///< of the network; the file lies beside the description
    std::string layout;        ///< its name, for messages
    PictureInput picture;
    std::optional<NetworkInput> sizes;  ///< takes the size to which the network scales its boxes
    Decoder decoder;
    DetectorClasses classes;

    /// Read a description, which is JSON.
    ///
    /// Throws InputError: it is none, or of another release.
    static DetectorPlan parse(const std::string& description);
};

}  // namespace pamtri::core
