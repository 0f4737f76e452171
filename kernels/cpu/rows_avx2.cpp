// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Pixels of three bytes are taken as four, of which the last is of no matter. Sums of real numbers
// are made in the plain form's order, and a multiply and an add stay two roundings.
#include "rows.hpp"

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#include <cstring>

#define PAMTRI_AVX2 __attribute__((target("avx2")))

namespace pamtri::cpu {
namespace {

PAMTRI_AVX2 inline __m128i eight_bytes(const std::uint8_t* bytes) {
    return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes));
}

PAMTRI_AVX2 inline __m256i load(const std::int16_t* values) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(values));
}

/// Two columns: the bytes of two neighbors side by side, each weighted, as 2 x 4 numbers.
PAMTRI_AVX2 inline __m256i blended_pair(const std::uint8_t* pixels, const Columns& columns, int i) {
    const __m256i side_by_side =
        _mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1,  //
                         0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1);
    const auto at = static_cast<std::size_t>(i);
    const __m256i both =
        _mm256_inserti128_si256(_mm256_castsi128_si256(eight_bytes(pixels + columns.left[at])),
                                eight_bytes(pixels + columns.left[at + 1]), 1);
    const __m256i weights = load(columns.weights.data() + 8 * at);
    return _mm256_srli_epi32(_mm256_madd_epi16(_mm256_shuffle_epi8(both, side_by_side), weights),
                             4);
}

/// Pixel by pixel, four values each.
PAMTRI_AVX2 void blend_row(const std::uint8_t* pixels, const Columns& columns, std::int16_t* out) {
    int i = 0;
    for (; i + 4 <= columns.inner; i += 4) {
        const __m256i four = _mm256_packs_epi32(blended_pair(pixels, columns, i),
                                                blended_pair(pixels, columns, i + 2));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 4 * i),
                            _mm256_permute4x64_epi64(four, _MM_SHUFFLE(3, 1, 2, 0)));
    }
    for (; i < columns.size(); ++i) {
        const auto at = static_cast<std::size_t>(i);
        for (int color = 0; color < 3; ++color) {
            out[4 * i + color] = static_cast<std::int16_t>(blended_along_row(
                pixels[columns.left[at] + color], pixels[columns.right[at] + color],
                columns.left_weight[at], columns.right_weight[at]));
        }
    }
}

/// blended_down_column() of four pixels.
PAMTRI_AVX2 inline __m256i blended_four(const std::int16_t* top, const std::int16_t* bottom,
                                        __m256i top_weight, __m256i bottom_weight) {
    const __m256i sum = _mm256_add_epi16(_mm256_mulhi_epi16(load(top), top_weight),
                                         _mm256_mulhi_epi16(load(bottom), bottom_weight));
    return _mm256_srai_epi16(_mm256_add_epi16(sum, _mm256_set1_epi16(2)), 2);
}

template <int Color>
PAMTRI_AVX2 inline void store_color(__m256i pixels, float* out) {
    const __m256i values =
        _mm256_and_si256(_mm256_srli_epi32(pixels, 8 * Color), _mm256_set1_epi32(255));
    _mm256_storeu_ps(out, _mm256_cvtepi32_ps(values));
}

PAMTRI_AVX2 void blend_column(const std::int16_t* top, const std::int16_t* bottom, const Tap& tap,
                              int size, float* const colors[3]) {
    const __m256i top_weight = _mm256_set1_epi16(static_cast<short>(tap.first_weight));
    const __m256i bottom_weight = _mm256_set1_epi16(static_cast<short>(tap.second_weight));
    int i = 0;
    for (; i + 8 <= size; i += 8) {
        const __m256i low = blended_four(top + 4 * i, bottom + 4 * i, top_weight, bottom_weight);
        const __m256i high =
            blended_four(top + 4 * i + 16, bottom + 4 * i + 16, top_weight, bottom_weight);
        const __m256i pixels =
            _mm256_permute4x64_epi64(_mm256_packus_epi16(low, high), _MM_SHUFFLE(3, 1, 2, 0));
        store_color<0>(pixels, colors[0] + i);
        store_color<1>(pixels, colors[1] + i);
        store_color<2>(pixels, colors[2] + i);
    }
    for (; i < size; ++i) {
        for (int color = 0; color < 3; ++color) {
            colors[color][i] = static_cast<float>(blended_down_column(
                top[4 * i + color], bottom[4 * i + color], tap.first_weight, tap.second_weight));
        }
    }
}

PAMTRI_AVX2 inline __m128 weighted(std::uint32_t pixel, float weight) {
    const __m128i bytes = _mm_cvtepu8_epi32(_mm_cvtsi32_si128(static_cast<int>(pixel)));
    return _mm_mul_ps(_mm_cvtepi32_ps(bytes), _mm_set1_ps(weight));
}

/// A pixel and the byte after it.
PAMTRI_AVX2 inline std::uint32_t four_bytes(const std::uint8_t* pixel) {
    std::uint32_t bytes;
    std::memcpy(&bytes, pixel, sizeof bytes);
    return bytes;
}

/// A pixel that may be the picture's last.
PAMTRI_AVX2 inline std::uint32_t three_bytes(const std::uint8_t* pixel) {
    return pixel[0] | static_cast<std::uint32_t>(pixel[1]) << 8 |
           static_cast<std::uint32_t>(pixel[2]) << 16;
}

PAMTRI_AVX2 void sum_row(const std::uint8_t* row, const AreaSpan* columns, float* sums) {
    for (int i = 0; i < kSharpnessSide; ++i) {
        const AreaSpan& span = columns[i];
        __m128 sum = _mm_setzero_ps();
        if (span.before > 0.0f)
            sum = _mm_add_ps(sum, weighted(four_bytes(row + 3 * (span.first - 1)), span.before));
        for (int x = span.first; x < span.end; ++x)
            sum = _mm_add_ps(sum, weighted(four_bytes(row + 3 * x), span.whole));
        if (span.after > 0.0f)
            sum = _mm_add_ps(sum, weighted(three_bytes(row + 3 * span.end), span.after));
        _mm_storeu_ps(sums + 4 * i, sum);
    }
}

/// brightness() of the nearest bytes; conversion rounds halves to even.
PAMTRI_AVX2 void gray_row(const float* sums, bool swap_channels, unsigned char* gray) {
    const short first = swap_channels ? kBlueWeight : kRedWeight;
    const short last = swap_channels ? kRedWeight : kBlueWeight;
    const __m256i weights =
        _mm256_setr_epi16(first, kGreenWeight, last, 0, first, kGreenWeight, last, 0, first,
                          kGreenWeight, last, 0, first, kGreenWeight, last, 0);
    const __m256i most = _mm256_set1_epi16(255);
    for (int i = 0; i < kSharpnessSide; i += 4) {
        const __m256i low = _mm256_cvtps_epi32(_mm256_loadu_ps(sums + 4 * i));
        const __m256i high = _mm256_cvtps_epi32(_mm256_loadu_ps(sums + 4 * i + 8));
        const __m256i bytes =  // of pixels 0, 2, 1, 3
            _mm256_max_epi16(_mm256_min_epi16(_mm256_packs_epi32(low, high), most),
                             _mm256_setzero_si256());
        const __m256i halves = _mm256_madd_epi16(bytes, weights);
        const __m256i total = _mm256_add_epi32(halves, _mm256_srli_epi64(halves, 32));
        const __m256i values =
            _mm256_srli_epi32(_mm256_add_epi32(total, _mm256_set1_epi32(1 << 14)), 15);
        gray[i] = static_cast<unsigned char>(_mm256_extract_epi32(values, 0));
        gray[i + 2] = static_cast<unsigned char>(_mm256_extract_epi32(values, 2));
        gray[i + 1] = static_cast<unsigned char>(_mm256_extract_epi32(values, 4));
        gray[i + 3] = static_cast<unsigned char>(_mm256_extract_epi32(values, 6));
    }
}

constexpr RowLoops kLoops{blend_row, blend_column, sum_row, gray_row};

}  // namespace

const RowLoops* avx2_loops() { return __builtin_cpu_supports("avx2") ? &kLoops : nullptr; }

}  // namespace pamtri::cpu

#else

namespace pamtri::cpu {

const RowLoops* avx2_loops() { return nullptr; }

}  // namespace pamtri::cpu

#endif
