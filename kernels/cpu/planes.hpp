// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Writing large results: through the caches where they may still be there for the next reader, past
// them where they cannot. A stack for eight vehicles is 109 MB, which ordinary stores first read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pamtri::cpu {

/// Above this, streaming stores are the faster ones (measured: 2.5 times at 109 MB, slower at 13).
constexpr std::size_t kStreamingBytes = std::size_t{32} << 20;

/// Whether a result of so many floats, in rows of `row_length`, should be written past the caches.
inline bool streams(const float* out, std::size_t count, int row_length) {
#if defined(__SSE2__)
    return count * sizeof(float) >= kStreamingBytes && row_length % 4 == 0 &&
           reinterpret_cast<std::uintptr_t>(out) % 16 == 0;
#else
    static_cast<void>(out), static_cast<void>(count), static_cast<void>(row_length);
    return false;
#endif
}

#if defined(__SSE2__)
/// Write a multiple of four floats past the caches. to: aligned to 16 bytes.
void stream(const float* from, std::size_t count, float* to);

/// Whether whole cache lines can be written past the caches to `to` on this processor.
bool streams_lines(const float* to);

/// Make what this thread streamed visible to the others, who read it as soon as it reports to be
/// done.
void finish_streaming();
#endif

/// Fill a (size, size) plane row by row: row(line, target) writes `size` values to target.
template <typename Row>
void write_plane(int size, bool streaming, float* plane, const Row& row) {
    const std::size_t length = static_cast<std::size_t>(size);
#if defined(__SSE2__)
    if (streaming) {
        std::vector<float> buffer(length);
        for (int line = 0; line < size; ++line, plane += length) {
            row(line, buffer.data());
            stream(buffer.data(), length, plane);
        }
        finish_streaming();
        return;
    }
#endif
    static_cast<void>(streaming);
    for (int line = 0; line < size; ++line, plane += length) row(line, plane);
}

}  // namespace pamtri::cpu
