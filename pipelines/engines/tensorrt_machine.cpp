// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "tensorrt_machine.hpp"

#include <cuda_runtime_api.h>

#include <fstream>
#include <iterator>
#include <string>

#include "cuda_resources.hpp"
#include "fingerprint.hpp"
#include "tensorrt_plan.hpp"

namespace pamtri::engines {

Machine this_machine(int device) {
    require_device(device);
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, device), "asking for the GPU's properties");
    int runtime = 0;
    check(cudaRuntimeGetVersion(&runtime), "asking for CUDA's version");
    Machine machine;
    machine.tensorrt = tensorrt_version();
    machine.cuda = std::to_string(runtime / 1000) + "." + std::to_string(runtime % 1000 / 10);
    machine.compute = "sm_" + std::to_string(properties.major) + std::to_string(properties.minor);
    machine.gpu = properties.name;
    if (std::ifstream file("/etc/nv_tegra_release"); file)
        machine.l4t = core::jetson_release({std::istreambuf_iterator<char>(file), {}});
    return machine;
}

}  // namespace pamtri::engines
