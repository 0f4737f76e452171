// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What a tracker with re-identification tells of an object.
#pragma once

#include <cstdint>

struct NvDsObjReid {
    uint32_t featureSize;
    float *ptr_host, *ptr_dev;
};
