// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What is behind the fake surfaces, as tests see it. Pixels lie in memory of the fake GPU, which
// the host cannot touch; those of a block-linear layout lie in tiles.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nvbufsurface.h"

namespace nvbuf {

/// Things that exist, and frames that were made row after row since the last `reset`.
struct Counts {
    int surfaces = 0, images = 0, resources = 0, buffers = 0;
    int transforms = 0;

    bool none() const { return surfaces + images + resources + buffers == 0; }
};
Counts counts();
void reset();

/// Write a plane of a frame: rows without gaps.
void put(NvBufSurface* surface, unsigned index, unsigned plane,
         const std::vector<std::uint8_t>& rows);

/// Let the next call of a function fail.
void fail(const std::string& function);

/// Whether the driver is the open one; EGL maps frames as arrays.
void set_open_driver(bool open);
void set_arrays(bool arrays);

}  // namespace nvbuf
