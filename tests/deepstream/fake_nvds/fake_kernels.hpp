// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "launch.hpp"

namespace kernels {

/// What the kernel that cuts views does otherwise than it is told; empty for nothing.
std::function<void(pamtri::cuda::CropOptions&)>& fault();

}  // namespace kernels
