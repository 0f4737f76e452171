// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>

namespace pamtri::core {

/// An engine or one of its files that cannot be used. The text is for the person who has to act on
/// it: what was found, what is accepted, what to do.
class EngineError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

}  // namespace pamtri::core
