// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What is behind the fake metadata, as tests see it. Each piece is an allocation of its own, so
// that a sanitizer finds what is used after it was given back.
#pragma once

#include <limits>

namespace nvds {

/// Pieces that exist, and what was done to them since the last `reset`.
struct Counts {
    long batches = 0, frames = 0, objects = 0, classifiers = 0, labels = 0, users = 0;  // living
    long copied = 0, released = 0;  // by functions of those who attached user metas
    long locked = 0;                // how often a batch was
    long unlocked_changes = 0;      // without the lock of their batch
    long times_in = 0, times_out = 0;

    bool none() const { return batches + frames + objects + classifiers + labels + users == 0; }
};

Counts counts();
void reset();

/// How many more pieces the pools have.
struct Left {
    long classifiers = std::numeric_limits<long>::max();
    long labels = std::numeric_limits<long>::max();
    long users = std::numeric_limits<long>::max();
};
void set_left(const Left& left);

}  // namespace nvds
