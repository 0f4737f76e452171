// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "decoding.hpp"
#include "json_fields.hpp"

namespace pamtri::core {

/// Of pictures that networks take, in pixels.
constexpr std::int64_t kMostSide = 1 << 14;

/// Of classes that detectors tell apart.
constexpr std::int64_t kMostClasses = 1 << 20;

/// A size in a field: height and width, as a list.
FrameSize size_of(JsonFields& fields, const char* name);

/// A decoder from the fields of its description; see Decoder::parse.
Decoder decoder_of(JsonFields fields);

}  // namespace pamtri::core
