// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What the lists of signatures are written in.
#pragma once

namespace test {

/// Whether a function can be called so and gives that, without exceptions where TensorRT promises
/// it.
template <typename Signature>
constexpr bool is(Signature) {
    return true;
}

template <typename Enum>
constexpr int value(Enum one) {
    return static_cast<int>(one);
}

}  // namespace test
