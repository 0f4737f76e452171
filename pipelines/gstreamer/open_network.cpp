// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "networks.hpp"

namespace pamtri::gst {

std::unique_ptr<engines::Network> open_network(const std::string& bundle,
                                               const engines::NetworkOptions& options) {
    return engines::Network::load(bundle, options);
}

bool may_build(const engines::NetworkOptions& options) {
    return engines::Network::is_for_gpu(options);
}

}  // namespace pamtri::gst
