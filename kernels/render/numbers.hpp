// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Small vectors, and the few functions of the C library that shading needs, as polynomials: the
// library's own differ in the last bit between processors, and a picture must not.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace pamtri::render {

using Triple = std::array<float, 3>;

struct Vec3 {
    float x, y, z;
};

inline Vec3 vec(const Triple& t) { return {t[0], t[1], t[2]}; }
inline Vec3 vec(const float* t) { return {t[0], t[1], t[2]}; }
inline Vec3 gray(float value) { return {value, value, value}; }
inline Vec3 operator+(Vec3 a, Vec3 b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
inline Vec3 operator-(Vec3 a, Vec3 b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
inline Vec3 operator*(Vec3 a, float s) { return {a.x * s, a.y * s, a.z * s}; }
inline Vec3 operator*(Vec3 a, Vec3 b) { return {a.x * b.x, a.y * b.y, a.z * b.z}; }
inline float dot(Vec3 a, Vec3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline Vec3 mix(Vec3 a, Vec3 b, float weight) { return a * (1.0f - weight) + b * weight; }
inline Vec3 unit(Vec3 a) { return a * (1.0f / std::sqrt(dot(a, a) + 1e-12f)); }
inline float mean(Vec3 a) { return (a.x + a.y + a.z) / 3.0f; }

/// Largest whole number not above x, for |x| below 2^31: without a call into the C library.
inline float floor_of(float x) {
    const auto toward_zero = static_cast<float>(static_cast<int>(x));
    return toward_zero > x ? toward_zero - 1.0f : toward_zero;
}

inline float clamp01(float value) { return std::min(1.0f, std::max(0.0f, value)); }
inline float smooth01(float value) {
    const float t = clamp01(value);
    return t * t * (3.0f - 2.0f * t);
}

/// 2 to the power of x, within 2e-6 of it; 0 below -126.
inline float exp2_of(float x) {
    if (x < -126.0f) return 0.0f;
    const float whole = floor_of(std::min(x, 126.0f));
    const float f = std::min(x, 126.0f) - whole;
    const float fraction =
        1.0f +
        f * (0.69314696f +
             f * (0.24023037f +
                  f * (0.05550348f + f * (0.00967152f + f * (0.00124396f + f * 2.1703e-4f)))));
    const std::uint32_t bits = static_cast<std::uint32_t>(static_cast<int>(whole) + 127) << 23;
    float scale;
    std::memcpy(&scale, &bits, sizeof scale);
    return fraction * scale;
}

/// The binary logarithm of a positive, normal x, within 1e-4.
inline float log2_of(float x) {
    std::uint32_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    const int exponent = static_cast<int>(bits >> 23) - 127;
    bits = (bits & 0x007fffffu) | 0x3f800000u;
    float m;
    std::memcpy(&m, &bits, sizeof m);
    const float s = (m - 1.0f) / (m + 1.0f);  // log2 m = 2 / ln 2 * atanh s, s in 0..1/3
    const float q = s * s;
    const float series =
        1.0f + q * (0.33333333f + q * (0.2f + q * (0.14285714f + q * 0.11111111f)));
    return static_cast<float>(exponent) + 2.885390082f * s * series;
}

inline float power(float base, float exponent) {
    return base <= 1e-30f ? 0.0f : exp2_of(exponent * log2_of(base));
}

inline float exp_of(float x) { return exp2_of(1.442695041f * x); }

inline float fraction(float x) { return x - floor_of(x); }

}  // namespace pamtri::render
