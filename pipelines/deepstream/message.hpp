// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What is known of a vehicle as NvDsEventMsgMeta, which nvmsgconv turns into messages for a broker:
// bounding box, track, embedding, and an NvDsVehicleObject with color and type.
#pragma once

#include <nvdsmeta.h>

#include <memory>
#include <string>

#include "crop_rules.hpp"
#include "known.hpp"

namespace pamtri::deepstream {

struct MessageSpec {
    int component_id = 0;
    std::string camera;    ///< the sensor that the message names
    core::FrameSize size;  ///< of the batch's frames; boxes are told in the source's own pixels
};

/// Put a message about an object on its frame, with its own copy and release functions. The batch's
/// lock is held. Keypoints are not in it: the converters' poses are those of people.
///
/// The time is the frame's NTP time, or this machine's where the frame has none.
///
/// @return false where the batch's pool of user metas has no room
bool add_message(NvDsFrameMeta* frame, const NvDsObjectMeta* object, const gst::Known& known,
                 const MessageSpec& spec);

}  // namespace pamtri::deepstream
