// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "crop_rules.hpp"

namespace pamtri::gst {

/// A track in a frame.
struct TableRow {
    std::uint64_t track_id = 0;
    core::Box box;
    bool last = false;  ///< the track has no later row
};

/// The table that `pamtri tracks FILE --output TABLE.csv` writes of any file of tracks that it
/// reads. What layouts there are, and what in them is a vehicle, is decided there alone.
class TrackTable {
  public:
    /// Read a table.
    ///
    /// Throws core::InputError: it cannot be read, or is no such table; the message says what makes
    /// one of other files.
    static TrackTable read(const std::string& path);

    /// The rows of a frame, counted from 0, with boxes in pixels of a frame of this size.
    std::vector<TableRow> at(std::uint64_t frame, core::FrameSize size) const;

    std::size_t size() const { return rows_; }

  private:
    std::map<std::uint64_t, std::vector<TableRow>> frames_;
    std::size_t rows_ = 0;
    bool relative_ = false;  // boxes are in parts of the frame
};

}  // namespace pamtri::gst
