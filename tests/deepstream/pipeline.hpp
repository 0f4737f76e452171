// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Elements under GStreamer's harness, fed with batches of fake surfaces.
#pragma once

#include <string>

#include "../gstreamer/line.hpp"
#include "batches.hpp"
#include "event.hpp"
#include "frames.hpp"

namespace test {

/// A line that is fed with batches.
class Pipeline : public Line {
  public:
    explicit Pipeline(const std::string& launch, const Form& form = {});

    /// Push a batch on surfaces, which outlive what comes out; take what comes out.
    Buffer through(Batch batch, NvBufSurface* surfaces);

    /// Push a batch that something else holds as well; null where nothing comes out.
    GstFlowReturn push(Batch batch, NvBufSurface* surfaces, Buffer* kept = nullptr);
};

/// A buffer as a muxer makes it.
Buffer buffer_of(Batch batch, NvBufSurface* surfaces);

const NvDsBatchMeta* batch_of(const Buffer& buffer);

std::string caps_of(const Form& form);

}  // namespace test
