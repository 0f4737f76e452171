// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "attach.hpp"
#include "looks.hpp"

namespace pamtri::nvinfer {

/// What the library for nvdspostprocess is told in its file.
struct PostprocessSettings {
    deepstream::AttachSpec attach;
    Names names;
    int message_interval = 0;  ///< frames between two messages about a vehicle; 0 for none
    std::string camera;        ///< what messages call the sensor
};

/// Read the group [pamtri] of a key file. Paths in it are relative to it.
///
/// Throws core::InputError: what was found, and what is accepted.
PostprocessSettings read_settings(const char* path);

}  // namespace pamtri::nvinfer
