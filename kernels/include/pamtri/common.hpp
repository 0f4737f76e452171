// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What every operation's arithmetic shares. These headers include nothing of the host and nothing
// of CUDA, so that g++, nvcc and NVRTC compile the same text.
#pragma once

#if defined(__CUDACC__)
#define PAMTRI_HD __host__ __device__ inline
#else
#define PAMTRI_HD inline
#endif

#if defined(__CUDA_ARCH__)  // only where GPU code is made: other compilers warn of it
#define PAMTRI_UNROLL _Pragma("unroll")
#else
#define PAMTRI_UNROLL
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

/// The bits of a float, as they are.
PAMTRI_HD int bits_of(float value) {
#if defined(__CUDA_ARCH__)
    return __float_as_int(value);
#else
    int bits;
    __builtin_memcpy(&bits, &value, sizeof(bits));
    return bits;
#endif
}

PAMTRI_HD float float_of(int bits) {
#if defined(__CUDA_ARCH__)
    return __int_as_float(bits);
#else
    float value;
    __builtin_memcpy(&value, &bits, sizeof(value));
    return value;
#endif
}

/// N values that lie side by side and are loaded or stored at once, 16 bytes at a time at most.
template <typename T, int N>
struct alignas(sizeof(T) * N < 16 ? sizeof(T) * N : 16) Pack {
    T values[N];
};

template <int N, typename T>
PAMTRI_HD Pack<T, N> loaded(const T* from) {
    return *reinterpret_cast<const Pack<T, N>*>(from);
}

template <int N, typename T>
PAMTRI_HD void store(const Pack<T, N>& pack, T* to) {
    *reinterpret_cast<Pack<T, N>*>(to) = pack;
}

}  // namespace pamtri
