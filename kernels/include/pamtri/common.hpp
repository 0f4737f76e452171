// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What every operation's arithmetic shares. These headers include nothing of the host, so that g++,
// nvcc and NVRTC compile the same text.
#pragma once

#if defined(__CUDACC__)
#define PAMTRI_HD __host__ __device__ inline
#else
#define PAMTRI_HD inline
#endif

namespace pamtri {

/// a * b, rounded on its own. nvcc would otherwise fuse it with a following addition, and a result
/// on the edge would differ between CPU and GPU (on a CPU, -ffp-contract=off sees to that).
PAMTRI_HD float product(float a, float b) {
#if defined(__CUDA_ARCH__)
    return __fmul_rn(a, b);
#else
    return a * b;
#endif
}

PAMTRI_HD double product(double a, double b) {
#if defined(__CUDA_ARCH__)
    return __dmul_rn(a, b);
#else
    return a * b;
#endif
}

PAMTRI_HD int clamped(int value, int low, int high) {
    return value < low ? low : (value > high ? high : value);
}

}  // namespace pamtri
