// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gstnvdsmeta.h>
#include <nvbufsurface.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "element_settings.hpp"
#include "frame_clock.hpp"
#include "journal.hpp"
#include "lanes.hpp"
#include "network.hpp"
#include "pictures.hpp"
#include "surface.hpp"

namespace pamtri::deepstream {

/// What happened so far, over all sources.
struct BatchCounts {
    gst::Counts common;
    std::uint64_t lost = 0;     ///< metas for which the pools of batches had no room
    std::uint64_t unready = 0;  ///< frames that passed before the network was open
};

/// The running batches of the element nvpamtri: a journal of tracks for each source, and one
/// network for all. Of the streaming thread, but for `counts`.
class BatchStream {
  public:
    /// Throws core::InputError: settings cannot be used.
    ///
    /// dump: where views are written; null for nowhere.
    BatchStream(const Settings& settings, std::shared_ptr<engines::Network> network,
                std::shared_ptr<gst::Dump> dump = nullptr);
    ~BatchStream();

    /// Take the next batch: what is known of its vehicles is attached to its metadata.
    ///
    /// Throws engines::EngineError: frames cannot be read, or the network failed.
    void take(NvDsBatchMeta* batch, NvBufSurface& surfaces);

    /// A source ended, or was taken away: its tracks are finished.
    void finish(unsigned pad);

    /// A source, or every one, was cut: its tracks end with what is known, and its clock goes on.
    void cut(unsigned pad);
    void cut();

    /// Every source ended.
    void finish();

    /// The events of the tracks that ended since the last call.
    std::vector<core::Event> take_events() { return std::exchange(events_, {}); }

    BatchCounts counts() const;

  private:
    struct Source;
    struct Found;

    Source& source_of(const NvDsFrameMeta* frame);
    std::vector<Found> observe(NvDsFrameMeta* frame, NvBufSurface& surfaces);
    void attach(NvDsBatchMeta* batch, const std::vector<Found>& all);
    bool is_due(Source& source, const Found& found);
    void collect(Source& source);

    const Settings settings_;
    const std::shared_ptr<engines::Network> network_;
    const std::shared_ptr<gst::Dump> dump_;
    Surfaces surfaces_;
    DeviceCutter::Tools tools_;
    const std::shared_ptr<CUstream_st> describing_;  // the stream of the thread that describes
    gst::Lanes lanes_;
    std::map<unsigned, std::unique_ptr<Source>> sources_;  // by number of the muxer's pad
    gst::Counts ended_;                                    // of sources that are no more
    std::uint64_t lost_ = 0;
    std::vector<core::Event> events_;
};

}  // namespace pamtri::deepstream
