// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "manifest.hpp"
#include "network.hpp"

namespace pamtri::gst {

/// The network of a bundle; elements that ask for the same one with the same options share it, and
/// it is closed with the last of them. One opens it, the others wait, and are told of the same
/// progress. Throws what engines::Network::load throws.
std::shared_ptr<engines::Network> shared_network(const std::string& bundle,
                                                 const engines::NetworkOptions& options);

/// What opens a network that nobody has opened; where there are several, tests bring their own.
std::unique_ptr<engines::Network> open_network(const std::string& bundle,
                                               const engines::NetworkOptions& options);

/// Whether that may take the minutes of a build. Throws core::InputError: unknown options.
bool may_build(const engines::NetworkOptions& options);

}  // namespace pamtri::gst
