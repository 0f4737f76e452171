// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What a secondary nvinfer said of each track so far. It looks at a vehicle now and then; between
// two looks, what is known stays.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fusion.hpp"
#include "known.hpp"

namespace pamtri::nvinfer {

/// What the outputs mean.
struct Names {
    std::vector<std::string> colors, types;
    std::string embedding_space, bundle;
};

/// The outputs for one vehicle in one frame; of size 0 where the network has none.
struct Look {
    core::Fusion::Values embedding, color, type, keypoints, quality;
};

/// The tracks of all sources.
class Looks {
  public:
    using Shared = std::shared_ptr<const gst::Known>;

    explicit Looks(Names names) : names_(std::move(names)) {}

    /// Take what the network said of a track; views count by their quality.
    ///
    /// Throws core::InputError if the numbers cannot be of this bundle; nothing has changed then.
    Shared add(std::uint32_t source, std::uint64_t id, const Look& look);

    /// What is known of a track that is in a frame; null for nothing.
    Shared known(std::uint32_t source, std::uint64_t id);

    /// What a single look tells, for vehicles that no tracker follows.
    Shared once(const Look& look) const;

    /// Forget the tracks that were in none of the last batches. Once a batch.
    void next_batch();

    void forget(std::uint32_t source);
    std::size_t size() const { return tracks_.size(); }

  private:
    struct Track {
        core::Fusion fusion;
        int views = 0;
        double quality = -1;  // of the best view
        std::vector<float> keypoints;
        Shared known;
        std::uint64_t seen = 0;  // in which batch
    };

    void add_to(Track& track, const Look& look) const;

    Names names_;
    std::map<std::pair<std::uint32_t, std::uint64_t>, Track> tracks_;
    std::uint64_t batch_ = 0;
};

}  // namespace pamtri::nvinfer
