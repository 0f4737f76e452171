// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <cstdlib>

namespace nvinfer1 {

/// What is undefined with the real library ends the test here.
inline void forbid(bool broken, const char* what) {
    if (!broken) return;
    std::fprintf(stderr, "fake TensorRT: %s\n", what);
    std::abort();
}

}  // namespace nvinfer1
