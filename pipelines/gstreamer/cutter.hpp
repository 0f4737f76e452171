// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "crop_rules.hpp"
#include "dump.hpp"
#include "frame_pixels.hpp"

namespace pamtri::gst {

/// A frame out of which views are cut, wherever its pixels lie. Rectangles lie inside it.
class Cutter {
  public:
    virtual ~Cutter() = default;

    virtual core::FrameSize size() const = 0;

    /// The details of these may be asked for: what can be done for all at once is done now.
    virtual void expect(const std::vector<core::Rectangle>& /*rectangles*/) {}

    /// How sharp a view is: see detail.hpp.
    virtual double detail(const core::Rectangle& rectangle) = 0;

    /// Its Original comes with it where the frame's views are dumped; track and box are not set.
    virtual Picture cut(const core::Rectangle& rectangle) = 0;
};

/// A frame in host memory.
class HostCutter final : public Cutter {
  public:
    /// origin: given where originals of views are wanted.
    explicit HostCutter(const FramePixels& frame, std::optional<Origin> origin = std::nullopt)
        : frame_(frame), origin_(origin) {}

    core::FrameSize size() const override { return frame_.size; }
    double detail(const core::Rectangle& rectangle) override;

    /// Of the view whose detail was asked for last.
    Picture cut(const core::Rectangle& rectangle) override;

  private:
    const FramePixels& frame_;
    const std::optional<Origin> origin_;
    Picture last_;
};

}  // namespace pamtri::gst
