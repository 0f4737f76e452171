// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// PAMTRI_CLONES in front of a function compiles it for several x86-64 generations, of which the
// loader picks one. That needs ifunc, thus glibc; elsewhere the baseline is all there is. Where
// PAMTRI_GENERATIONS is defined, a function may also be written once for each of them, with
// __attribute__((target("default"))) and so on.
#pragma once

#include <cstdlib>  // defines __GLIBC__ where it is glibc

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define PAMTRI_CLONES __attribute__((target_clones("default", "avx2", "avx512f")))
#define PAMTRI_GENERATIONS
#else
#define PAMTRI_CLONES
#endif
