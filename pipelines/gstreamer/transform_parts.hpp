// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What elements that describe vehicles have in common, whatever their frames lie in.
#pragma once

#include <gst/base/gstbasetransform.h>

#include <functional>
#include <string>
#include <vector>

#include "event.hpp"

namespace pamtri::gst {

/// Let the bus, if `post`, and what comes after, if `downstream`, know of tracks that ended.
void publish_events(GstBaseTransform* base, const std::vector<core::Event>& events, bool post,
                    bool downstream);

/// Do what may fail; a failure stops the pipeline with its sentence.
bool attempt(GstBaseTransform* base, const std::function<void()>& action);

/// With sync=true frames come later by what the network takes. Under the object's lock.
class SyncLatency {
  public:
    void restart() { latency_ = 0; }

    /// Take note of what a frame took; tell the pipeline when that grows.
    void note(GstBaseTransform* base, GstClockTime taken);

    /// Add it to the answer of a latency query.
    void add_to(GstBaseTransform* base, GstQuery* query) const;

  private:
    GstClockTime latency_ = 0;
};

}  // namespace pamtri::gst
