// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What the bus is told while an element's network is opened, and its engine built.
#pragma once

#include <gst/gst.h>

#include <memory>
#include <string>

#include "loader.hpp"
#include "network.hpp"

namespace pamtri::gst {

/// Begin to open the network of a bundle, which the bus is told of:
///
/// - GST_MESSAGE_PROGRESS "pamtri-engine": when it starts, at each percent of a build, and when it
///   is complete, canceled, or has failed;
/// - an element message "pamtri-engine" at each percent: "bundle", "phase", the phase's "done" and
///   "total" steps, and "percent" of the whole build;
/// - a warning for what goes on all the same, an error for what does not.
///
/// @param place how a person calls where it runs, such as "GPU 0"
/// @param beside as Loader's
std::unique_ptr<Loader> begin_loading(GstElement* element, const std::string& bundle,
                                      const std::string& place,
                                      const engines::NetworkOptions& options, bool beside);

}  // namespace pamtri::gst
