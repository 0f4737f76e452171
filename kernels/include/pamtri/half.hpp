// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Half precision (IEEE 754 binary16) as 16 bits of memory: arithmetic is in float. CUDA's own type
// is in a header that a Python installation of NVRTC need not have, and that a host compiler cannot
// read.
#pragma once

#include "pamtri/common.hpp"

namespace pamtri {

struct Half {
    unsigned short bits;
};

PAMTRI_HD float to_float(float value) { return value; }
PAMTRI_HD float to_float(unsigned char value) { return static_cast<float>(value); }

/// Exact; a signalling NaN may come out quiet.
PAMTRI_HD float to_float(Half half) {
#if defined(__CUDA_ARCH__)
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(half.bits));
    return value;
#else
    const unsigned sign = (half.bits & 0x8000u) << 16;
    const unsigned magnitude = half.bits & 0x7fffu;
    if (magnitude < 0x0400u) {  // zero and subnormal: so many times 2^-24
        const float value = static_cast<float>(magnitude) * (1.0f / 16777216.0f);
        return sign != 0 ? -value : value;
    }
    const unsigned exponent_and_fraction =
        magnitude >= 0x7c00u ? 0x7f800000u | (magnitude & 0x03ffu) << 13  // infinity and NaN
                             : (magnitude << 13) + ((127u - 15u) << 23);
    return float_of(static_cast<int>(sign | exponent_and_fraction));
#endif
}

/// The nearest half, ties to even; infinity from 65520 on.
PAMTRI_HD Half to_half(float value) {
    Half half;
#if defined(__CUDA_ARCH__)
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(half.bits) : "f"(value));
#else
    const unsigned bits = static_cast<unsigned>(bits_of(value));
    const unsigned sign = bits >> 16 & 0x8000u;
    const unsigned magnitude = bits & 0x7fffffffu;
    unsigned rounded;
    if (magnitude > 0x7f800000u) {
        rounded = 0x7fffu;  // NaN, in the form that the GPU gives
    } else if (magnitude >= 0x47800000u) {
        rounded = 0x7c00u;  // 65536 and more
    } else if (magnitude >= 0x38800000u) {
        const unsigned shifted = magnitude - ((127u - 15u) << 23);
        rounded = (shifted + 0x0fffu + (shifted >> 13 & 1u)) >> 13;  // a carry reaches the exponent
    } else {
        // Adding 0.5 leaves 2^-24, the smallest half, as the last bit, and rounds there.
        const float aligned = float_of(static_cast<int>(magnitude)) + 0.5f;
        rounded = static_cast<unsigned>(bits_of(aligned)) - 0x3f000000u;
    }
    half.bits = static_cast<unsigned short>(sign | rounded);
#endif
    return half;
}

/// A result rounded to the type it is stored as.
template <typename T>
PAMTRI_HD T stored(float value);

template <>
PAMTRI_HD float stored<float>(float value) {
    return value;
}

template <>
PAMTRI_HD Half stored<Half>(float value) {
    return to_half(value);
}

/// Whole numbers 0..255 only.
template <>
PAMTRI_HD unsigned char stored<unsigned char>(float value) {
    return static_cast<unsigned char>(value);
}

/// Two halves, converted at once where the GPU can.
PAMTRI_HD Pack<Half, 2> halves(float first, float second) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    Pack<Half, 2> pair;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;"
        : "=r"(reinterpret_cast<unsigned&>(pair))
        : "f"(second), "f"(first));
    return pair;
#else
    return {{to_half(first), to_half(second)}};
#endif
}

/// N results as they are stored, side by side.
template <typename T, int N>
struct Packed {
    static PAMTRI_HD Pack<T, N> of(const float (&values)[N]) {
        Pack<T, N> pack;
        PAMTRI_UNROLL
        for (int i = 0; i < N; ++i) pack.values[i] = stored<T>(values[i]);
        return pack;
    }
};

template <int N>
struct Packed<Half, N> {
    static PAMTRI_HD Pack<Half, N> of(const float (&values)[N]) {
        Pack<Half, N> pack;
        PAMTRI_UNROLL
        for (int i = 0; i < N; i += 2) {
            const Pack<Half, 2> pair = halves(values[i], values[i + 1]);
            pack.values[i] = pair.values[0];
            pack.values[i + 1] = pair.values[1];
        }
        return pack;
    }
};

}  // namespace pamtri
