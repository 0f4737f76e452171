// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "zip.hpp"

#include <zlib.h>

#include <algorithm>

#include "npz.hpp"

namespace pamtri::engines {
namespace {

constexpr std::string_view kEnd("PK\x05\x06", 4), kLocal("PK\x03\x04", 4);
constexpr std::size_t kEndSize = 22, kEntrySize = 46, kLocalSize = 30, kLongestComment = 0xffff;

/// The part of an archive that begins at an offset and has a size.
std::string_view part(std::string_view archive, std::uint64_t at, std::uint64_t size) {
    if (at > archive.size() || size > archive.size() - at)
        throw DamagedError("a part of it lies past its end");
    return archive.substr(static_cast<std::size_t>(at), static_cast<std::size_t>(size));
}

std::uint32_t little(std::string_view bytes, std::size_t at, int count) {
    std::uint32_t value = 0;
    for (int i = count - 1; i >= 0; --i)
        value = value << 8 | static_cast<unsigned char>(bytes[at + static_cast<std::size_t>(i)]);
    return value;
}

std::string inflated(std::string_view packed, std::size_t count) {
    z_stream stream{};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw DamagedError("no memory to unpack it");
    std::string content(count, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream.avail_in = static_cast<uInt>(packed.size());
    stream.next_out = reinterpret_cast<Bytef*>(content.data());
    stream.avail_out = static_cast<uInt>(count);
    const int status = inflate(&stream, Z_FINISH);
    content.resize(stream.total_out);
    inflateEnd(&stream);
    // Z_BUF_ERROR: no more room, which is meant where only the beginning is asked for.
    if (status != Z_STREAM_END && !(status == Z_BUF_ERROR && content.size() == count))
        throw DamagedError("a member cannot be unpacked");
    return content;
}

}  // namespace

std::string ZipMember::first(std::size_t count) const {
    const std::size_t wanted = std::min<std::size_t>(count, size);
    std::string content = method == 0  ? std::string(packed.substr(0, wanted))
                          : wanted > 0 ? inflated(packed, wanted)
                                       : std::string();
    if (content.size() < wanted) throw DamagedError("a member is cut short");
    const auto* bytes = reinterpret_cast<const Bytef*>(content.data());
    if (wanted == size && crc32(0, bytes, static_cast<uInt>(content.size())) != crc)
        throw DamagedError("the checksum of a member is another");
    return content;
}

std::vector<ZipMember> zip_members(std::string_view archive) {
    const std::size_t searched = kEndSize + kLongestComment;
    const std::size_t tail = archive.size() > searched ? archive.size() - searched : 0;
    const std::size_t end = archive.rfind(kEnd);
    if (end == std::string_view::npos || end < tail) throw DamagedError("it is not a zip file");
    const std::string_view last = part(archive, end, kEndSize);
    const std::uint32_t count = little(last, 10, 2), size = little(last, 12, 4);
    const std::uint32_t start = little(last, 16, 4);
    std::string_view list = part(archive, start, size);
    std::vector<ZipMember> members;
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::string_view entry = part(list, 0, kEntrySize);
        if (entry.substr(0, kZipEntry.size()) != kZipEntry)
            throw DamagedError("its list of members is damaged");
        const std::size_t name = little(entry, 28, 2);
        const std::size_t more = little(entry, 30, 2) + little(entry, 32, 2);
        if (little(entry, 8, 2) & 1) throw DamagedError("a member is encrypted");
        ZipMember member;
        member.method = little(entry, 10, 2);
        member.crc = little(entry, 16, 4);
        member.size = little(entry, 24, 4);
        member.name = part(list, kEntrySize, name);
        const std::uint64_t local_at = little(entry, 42, 4);
        const std::string_view local = part(archive, local_at, kLocalSize);
        if (local.substr(0, 4) != kLocal) throw DamagedError("a member is not where it should be");
        const std::uint64_t data =
            local_at + kLocalSize + little(local, 26, 2) + little(local, 28, 2);
        member.packed = part(archive, data, little(entry, 20, 4));
        list.remove_prefix(part(list, 0, kEntrySize + name + more).size());
        members.push_back(std::move(member));
    }
    return members;
}

}  // namespace pamtri::engines
