// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

namespace pamtri::core {

/// Turns the time stamps of frames, in the order of decoding, into seconds since the first that
/// never stand still, go back or leap. Where a stamp does, or is missing, time goes on by a frame.
class FrameClock {
  public:
    /// @param rate frames a second; none is taken as 25
    /// @param longest_gap_s a larger distance between two frames is a leap
    FrameClock(std::optional<double> rate, double longest_gap_s);

    struct Tick {
        double time_s = 0;
        bool jumped = false;  ///< the clock was set anew before this frame
    };

    /// The time of the next frame.
    ///
    /// @param stamp the frame's own time in seconds; none for none
    /// @param missed frames before it that could not be decoded
    Tick tick(std::optional<double> stamp, int missed = 0);

  private:
    void note(std::optional<double> stamp);

    double step_, longest_;
    std::optional<double> before_;  // the last stamp there was
    std::optional<double> offset_;  // from stamps to seconds
    std::optional<double> now_;
};

}  // namespace pamtri::core
