// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bundle.hpp"
#include "network.hpp"
#include "tested_network.hpp"

namespace pamtri::engines {

/// The engine of a bundle's network on a GPU: from the disk, or built and kept there.
///
/// device: CUDA's number of the GPU.
///
/// Throws EngineError: no such GPU; no engine, and none may be built; one that cannot be built,
/// kept or loaded. Cancelled: it is not wanted any more.
Candidate tensorrt_candidate(const Bundle& bundle, int device, const NetworkOptions& options);

}  // namespace pamtri::engines
