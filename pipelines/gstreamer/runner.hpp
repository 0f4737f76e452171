// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "frame_pixels.hpp"
#include "network.hpp"
#include "tracks.hpp"

namespace pamtri::gst {

/// Views that are embedded together.
struct Batch {
    std::vector<core::Ticket> tickets;
    std::vector<Picture> crops;
};

/// What came of a batch: an answer for each ticket, or why there is none.
struct Done {
    std::vector<core::Ticket> tickets;
    std::vector<engines::Answer> answers;
    std::string fault;
};

/// Has batches embedded, in order.
class Runner {
  public:
    virtual ~Runner() = default;

    /// Whether a batch would be taken now.
    virtual bool has_room() const = 0;

    /// Take a batch; only while there is room.
    virtual void submit(Batch batch) = 0;

    /// What was done since the last call.
    virtual std::vector<Done> take() = 0;

    /// Wait until all that was submitted is done.
    virtual void wait() = 0;

    /// Forget what was not begun, wait for what was, and drop both's answers.
    virtual void clear() = 0;
};

/// Stretch crops to a network's pictures and have them described.
///
/// images: where what the network was given is put, a plane a color; null where nobody asks.
std::vector<engines::Answer> describe(engines::Network& network, const std::vector<Picture>& crops,
                                      std::vector<float>* images = nullptr);

}  // namespace pamtri::gst
