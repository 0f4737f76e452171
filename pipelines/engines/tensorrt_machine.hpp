// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine_file.hpp"

namespace pamtri::engines {

/// The machine that this runs on, as records of engines describe it.
///
/// device: CUDA's number of the GPU.
///
/// Throws EngineError: there is no such GPU, or no driver.
Machine this_machine(int device);

}  // namespace pamtri::engines
