// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>

namespace pamtri::engines {

/// An engine or one of its files that cannot be used. The text is for the person who has to act on
/// it: what was found, what is accepted, what to do.
class EngineError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// A bundle that is not there, not whole, of a newer release, or that gives other results than it
/// promises. The text is for the person who has to act on it.
class BundleError : public EngineError {
  public:
    using EngineError::EngineError;
};

}  // namespace pamtri::engines
