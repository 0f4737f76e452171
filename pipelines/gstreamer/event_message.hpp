// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Events on their way through a pipeline. Elements after pamtri get each as a serialized custom
// event, which a tee gives to every branch once and no filter drops or repeats; applications get
// the same as an element message on the bus.
#pragma once

#include <gst/gst.h>

#include <memory>

#include "event.hpp"

namespace pamtri::gst {

/// Name of the structure of both. Its fields: "event" (the event, for our elements), "json",
/// "camera" and "track-id" (strings).
constexpr char kEventName[] = "pamtri-event";

/// The structure of an event. Throws core::InputError for text that is not UTF-8.
GstStructure* structure_of(const core::Event& event);

/// The event in a structure; null where it is none of ours.
std::shared_ptr<const core::Event> event_of(const GstStructure* structure);

}  // namespace pamtri::gst
