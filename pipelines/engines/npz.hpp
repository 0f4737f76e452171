// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Archives of arrays (.npz) that may come from anyone, as Python's pamtri_edge.npz reads them. What
// an archive declares is compared with what is sensible before any of it is unpacked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pamtri::engines {

/// What is wrong with an archive, as the end of a sentence without a full stop.
class ArchiveError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// The bytes are no archive of arrays, or are damaged.
class DamagedError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// An array of numbers, in rows, as float32.
struct Array {
    std::vector<std::int64_t> shape;
    std::vector<float> values;
};

/// The arrays of an archive by name, in its order.
///
/// limit: bytes that all arrays may have together, an item counted as 4 bytes or more.
/// most:  how many arrays there may be.
///
/// Throws ArchiveError: something is declared that no such file holds. DamagedError.
std::vector<std::pair<std::string, Array>> unpack(std::string_view content, std::uint64_t limit,
                                                  std::size_t most);

}  // namespace pamtri::engines
