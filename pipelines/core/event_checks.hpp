// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "event.hpp"

namespace pamtri::core {

/// Throw an InputError, which names the field, unless all numbers are finite.
void check_numbers(const Event& event);

}  // namespace pamtri::core
