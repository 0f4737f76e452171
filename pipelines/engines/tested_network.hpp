// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// A network of any engine; tests put one of their own beneath it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bundle.hpp"
#include "engine.hpp"
#include "network.hpp"

namespace pamtri::engines {

/// An engine of a bundle's network, before it has proven itself.
struct Candidate {
    std::unique_ptr<Engine> engine;
    std::string name;            ///< "openvino" or "tensorrt"
    std::string device;          ///< "cpu" or "cuda:N"
    std::string arithmetic;      ///< what its convolutions are computed in
    std::vector<int> by_itself;  ///< batch sizes that it runs by code of their own
};

/// Let an engine prove itself on the bundle's golden pictures.
///
/// Throws BundleError: the bundle's geometry needs more than pictures, or the self-test failed.
std::unique_ptr<Network> tested_network(Bundle bundle, Candidate candidate);

}  // namespace pamtri::engines
