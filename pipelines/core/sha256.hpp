// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// SHA-256 (FIPS 180-4). Our own, because a cryptographic library would tie a plugin to one version
// of it for a checksum; secrets never come here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace pamtri::core {

/// Takes bytes piece by piece.
class Sha256 {
  public:
    void update(const void* data, std::size_t size);

    /// The digest as 64 hexadecimal digits; nothing may be added after it.
    std::string digits();

  private:
    void compress(const std::uint8_t* block);

    std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    std::array<std::uint8_t, 64> block_{};
    std::uint64_t size_ = 0;  // bytes so far
};

}  // namespace pamtri::core
