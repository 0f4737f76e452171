// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The fake CUDA as it is on a machine without a GPU: the plugin runs bundles on the CPU.
#include "fake_cuda/device.hpp"

namespace {

const bool kNone = [] {
    device::set_devices(0, cudaErrorNoDevice);
    return true;
}();

}  // namespace
