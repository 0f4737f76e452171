// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>
#include <gst/video/video.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "frame_clock.hpp"
#include "journal.hpp"
#include "lanes.hpp"
#include "network.hpp"
#include "regions.hpp"
#include "settings.hpp"

namespace pamtri::gst {

/// A running stream of the element pamtri: its network, its lane to it, its tracks. Of the
/// streaming thread, but for `counts`.
class Stream {
  public:
    /// Throws core::InputError: settings cannot be used.
    Stream(const Settings& settings, std::shared_ptr<engines::Network> network,
           std::shared_ptr<Dump> dump);

    /// Frames have this form from now on.
    void set_form(const GstVideoInfo& info);

    /// Take the next frame: what is known of its vehicles is attached to it.
    ///
    /// @param stamp its time in seconds, where it has one
    /// @return FALSE where its pixels cannot be read
    bool take(GstBuffer* buffer, std::optional<double> stamp);

    /// Nothing was seen at this time.
    void skip(std::optional<double> stamp);

    /// The stream ends: every track is finished.
    void finish() { journal_.finish(); }

    /// The stream is cut: every track ends with what is known, and the clock goes on.
    void cut();

    /// The type of a region, where there were some and `classes` left out all of them; "" else.
    std::string only_left_out() const;

    std::vector<core::Event> take_events() { return journal_.take_events(); }
    const Counts& counts() const { return journal_.counts(); }

  private:
    void attach(GstBuffer* buffer, const std::vector<Region>& regions,
                const std::vector<std::shared_ptr<const Known>>& known) const;

    const Settings settings_;
    const std::vector<std::string> classes_;
    std::string left_out_;
    std::shared_ptr<engines::Network> network_;
    const std::shared_ptr<Dump> dump_;
    Lanes lanes_;
    const std::unique_ptr<Runner> lane_ = lanes_.lane();
    Journal journal_;
    GstVideoInfo info_;
    std::optional<core::FrameClock> clock_;
};

/// The counts as a structure named "pamtri-stats", which the caller frees.
GstStructure* structure_of(const Counts& counts);

}  // namespace pamtri::gst
