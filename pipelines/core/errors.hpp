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

/// An engine or one of its files that cannot be used. The text is for the person who has to act on
/// it: what was found, what is accepted, what to do.
class EngineError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

}  // namespace pamtri::core
