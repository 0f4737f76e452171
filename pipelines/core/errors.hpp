// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>

namespace pamtri::core {

/// Something that was given and cannot be used as it is. The text is for the person who has to act
/// on it: what was found, what is accepted, what to do.
class InputError : public std::invalid_argument {
  public:
    using std::invalid_argument::invalid_argument;
};

}  // namespace pamtri::core
