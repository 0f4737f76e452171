// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>

namespace pamtri {

/// How many threads an operation may use, the calling one included.
int threads();

/// Set that number for the whole process; 0 means every core this process may use.
void set_threads(int count);

/// Call body(i) for every i in [0, count), on up to threads() threads; return when all are done.
///
/// grain: how many calls are worth waking a thread for (some tens of microseconds). May be called
/// from several threads at once. The body must not throw.
void parallel_for(std::size_t count, std::size_t grain,
                  const std::function<void(std::size_t)>& body);

}  // namespace pamtri
