// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "tensorrt_machine.hpp"

#include <cuda_runtime_api.h>

#include <fstream>
#include <string>

#include "cuda_resources.hpp"
#include "tensorrt_plan.hpp"

namespace pamtri::engines {

Machine this_machine(int device) {
    require_device(device);
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, device), "asking for the GPU's properties");
    int runtime = 0;
    check(cudaRuntimeGetVersion(&runtime), "asking for CUDA's version");
    std::string release;
    std::ifstream file("/etc/nv_tegra_release");
    std::getline(file, release);
    Machine machine;
    machine.tensorrt = tensorrt_version();
    machine.cuda_major = runtime / 1000;
    machine.compute = "sm_" + std::to_string(properties.major) + std::to_string(properties.minor);
    machine.gpu = properties.name;
    machine.l4t = l4t_of(release);
    return machine;
}

}  // namespace pamtri::engines
