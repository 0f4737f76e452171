// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// A detector's network on the CPU, run by OpenVINO: pictures in, boxes out, as `pamtri run
// --detector` finds them. This header includes nothing of OpenVINO.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "detector_picture.hpp"
#include "detector_plan.hpp"

namespace pamtri::engines {

/// How detections are chosen.
struct DetectionSpec {
    float confidence = 0.3f;  ///< lowest score of a detection
    float overlap = 0.5f;  ///< two boxes with a higher IoU are one vehicle, whatever their classes
};

/// Which classes are wanted.
struct ClassWish {
    std::optional<std::vector<std::string>> asked;  ///< names or numbers; "all" for every one;
                                                    ///< nothing for the vehicles
    std::function<std::string(const std::string&)> fold;  ///< a text without its case, for names
};

/// A vehicle in a picture.
struct Detection {
    core::Box box;  ///< in the picture's pixels, inside it
    float score = 1;
    int label = 0;  ///< number of its class
};

class Detector {
  public:
    /// Open a network by its description, or by its file, NAME.onnx, beside NAME.detector.json.
    ///
    /// @param threads of the CPU; 0 for all
    ///
    /// Throws core::InputError: a file is missing or is none, they do not belong together, OpenVINO
    /// cannot run the network, or a class is unknown.
    static std::unique_ptr<Detector> open(const std::string& path, const ClassWish& wish,
                                          int threads);

    virtual ~Detector() = default;

    virtual const core::DetectorPlan& plan() const = 0;

    /// The vehicles in a picture, the surest first. Calls must not overlap.
    ///
    /// Throws core::InputError: the network fails, or gives what is no detection.
    virtual std::vector<Detection> detect(const RgbPicture& picture, const DetectionSpec& spec) = 0;
};

}  // namespace pamtri::engines
