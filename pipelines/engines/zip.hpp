// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The members of a zip archive: stored or deflated, nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pamtri::engines {

/// What each entry of an archive's list begins with.
inline constexpr std::string_view kZipEntry("PK\x01\x02", 4);

struct ZipMember {
    std::string name;
    unsigned method = 0;
    std::uint32_t crc = 0;
    std::string_view packed;
    std::uint32_t size = 0;  ///< declared, unpacked

    /// Whether it is packed in a way that is read here.
    bool plain() const { return method == 0 || method == 8; }

    /// The first bytes of its content; fewer where it has fewer. The checksum is compared where
    /// these are all.
    ///
    /// Throws DamagedError.
    std::string first(std::size_t count) const;
};

/// The archive's members in the order of its list.
///
/// Throws DamagedError: the bytes are no archive.
std::vector<ZipMember> zip_members(std::string_view archive);

}  // namespace pamtri::engines
