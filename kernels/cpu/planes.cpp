// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "planes.hpp"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace pamtri::cpu {

#if defined(__SSE2__)
namespace {

constexpr std::size_t kLine = 64;  // bytes of a cache line

void stream_quads(const float* from, std::size_t count, float* to) {
    for (std::size_t i = 0; i < count; i += 4) _mm_stream_ps(to + i, _mm_loadu_ps(from + i));
}

/// Whole lines: a line that arrives in four pieces takes four times as many instructions.
__attribute__((target("avx512f"))) void stream_lines(const float* from, std::size_t count,
                                                     float* to) {
    for (std::size_t i = 0; i < count; i += 16) _mm512_stream_ps(to + i, _mm512_loadu_ps(from + i));
}

}  // namespace

bool streams_lines(const float* to) {
    static const bool wide = __builtin_cpu_supports("avx512f") != 0;
    return wide && reinterpret_cast<std::uintptr_t>(to) % kLine == 0;
}

void stream(const float* from, std::size_t count, float* to) {
    const std::size_t over = reinterpret_cast<std::uintptr_t>(to) % kLine;
    const std::size_t head = over == 0 ? 0 : (kLine - over) / sizeof(float);
    if (head > count || !streams_lines(to + head)) {
        stream_quads(from, count, to);
        return;
    }
    const std::size_t lines = (count - head) / 16 * 16;
    stream_quads(from, head, to);
    stream_lines(from + head, lines, to + head);
    stream_quads(from + head + lines, count - head - lines, to + head + lines);
}

void finish_streaming() { _mm_sfence(); }
#endif

}  // namespace pamtri::cpu
