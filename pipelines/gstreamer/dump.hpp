// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What `pamtri verify --against-deepstream` reads: views as they lay in their frames, what the
// network was given of them, and what it said. docs/deepstream.md has the form of the files.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "frame_pixels.hpp"
#include "manifest.hpp"
#include "network.hpp"

namespace pamtri::gst {

/// Which frame a view is of.
struct Origin {
    unsigned source = 0;
    std::uint64_t frame = 0;
};

/// A view as it lay in its frame, before anything was converted.
struct Original {
    struct Plane {
        std::string name;  ///< "y" and "uv"; or one of "rgb", "bgr", "rgba", "bgra"
        std::vector<std::int64_t> shape;
        std::vector<std::uint8_t> bytes;
    };
    std::vector<Plane> planes;
    std::string conversion;  ///< of y and uv, such as "bt709-full"
    core::Rectangle inside;  ///< the view in the planes, which have the chroma around it as well
    Origin origin;
    std::uint64_t track = 0;  ///< core::kUntracked for none
    core::Box box;
};

/// Writes described views into a folder, two files each, up to a number of them.
///
/// A view counts as written once its JSON file has its name, which it gets when both are whole.
class Dump {
  public:
    /// What describes pictures; puts what the network was given, a plane a color, where that is
    /// asked for.
    using Describe = std::function<std::vector<engines::Answer>(std::vector<float>* images)>;

    /// Throws core::InputError: the folder cannot be made or written to, or has views already.
    Dump(std::string folder, std::size_t most);

    /// Whether another view would be written.
    bool has_room() const { return written_ < most_; }

    /// Have pictures described, and write those of which there is an Original.
    ///
    /// dump: null for describing alone.
    ///
    /// Throws engines::EngineError: a file cannot be written; or what `describe` throws.
    static std::vector<engines::Answer> described(Dump* dump, const std::vector<Picture>& pictures,
                                                  const engines::Manifest& manifest,
                                                  const Describe& describe);

  private:
    void write(const Original& original, const float* image, int side,
               const engines::Answer& answer, const engines::Manifest& manifest);
    std::string claim(const std::string& content);

    const std::string folder_;
    const std::size_t most_;
    std::atomic<std::size_t> written_{0};
    std::size_t next_ = 0;  // number of the next file; of the thread that describes
};

}  // namespace pamtri::gst
