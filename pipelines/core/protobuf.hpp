// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Protobuf's wire format, as much of it as writing a message takes.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace pamtri::core {

/// A message in the making; fields are written in the order of the calls. What is the default of
/// its kind (0, "") is left out by those who call.
class ProtobufMessage {
  public:
    void varint(int field, std::uint64_t value) {
        tag(field, 0);
        number(value);
    }

    void real(int field, float value) {
        tag(field, 5);
        fixed(value);
    }

    /// A string, or a message within this one.
    void bytes(int field, std::string_view content) {
        tag(field, 2);
        number(content.size());
        content_.append(content);
    }

    void message(int field, const ProtobufMessage& inner) { bytes(field, inner.content_); }

    /// Packed: one field for all.
    void reals(int field, const std::vector<double>& values) {
        tag(field, 2);
        number(4 * values.size());
        for (const double value : values) fixed(static_cast<float>(value));
    }

    /// An entry of a map<string, string>.
    void entry(int field, std::string_view key, std::string_view value) {
        ProtobufMessage pair;
        pair.bytes(1, key);
        pair.bytes(2, value);
        message(field, pair);
    }

    const std::string& content() const { return content_; }

  private:
    void tag(int field, unsigned wire) { number(static_cast<std::uint64_t>(field) << 3 | wire); }

    void number(std::uint64_t value) {
        for (; value >= 128; value >>= 7) content_ += static_cast<char>(value | 128);
        content_ += static_cast<char>(value);
    }

    void fixed(float value) {
        std::uint32_t bits;
        std::memcpy(&bits, &value, sizeof bits);
        for (int shift = 0; shift < 32; shift += 8) content_ += static_cast<char>(bits >> shift);
    }

    std::string content_;
};

}  // namespace pamtri::core
