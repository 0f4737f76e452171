// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The event: what is told of one tracked vehicle. Its fields are those of Python's
// pamtri_edge.events.Event, whose writer is this one.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pamtri::core {

/// A class of the vehicle: its color or its type.
struct Attribute {
    std::string label;  ///< the most probable class
    double probability = 0;
    std::vector<std::pair<std::string, double>> all;  ///< in the order of the bundle's class names
};

/// x and y in frame pixels.
struct Keypoint {
    double x = 0, y = 0, confidence = 0;
};

/// One tracked vehicle.
struct Event {
    static constexpr int kSchema = 1;

    std::string camera;
    std::uint64_t track_id = 0;     ///< unique within a camera's run; kUntracked too
    double start_s = 0, end_s = 0;  ///< first and last frame, seconds of the stream
    std::optional<std::string> start_utc, end_utc;  ///< ISO 8601, where the clock is known
    std::uint64_t seen = 0;                         ///< in so many frames
    std::uint64_t embedded = 0;                     ///< so many views
    bool below_gate = false;                        ///< no view was good enough
    std::vector<std::string> below_gate_reason;     ///< words of failing_words()
    std::array<double, 4> box{};  ///< x1, y1, x2, y2 of the best view, frame pixels
    std::optional<Attribute> color, type;
    std::vector<double> embedding;                   ///< of unit length
    std::optional<std::vector<Keypoint>> keypoints;  ///< of the best view
    std::optional<double> quality;                   ///< of the best view, 0 to 1
    std::string embedding_space;                     ///< id of the weights
    std::string bundle;                              ///< its name
};

/// Decimals that the numbers of an event are rounded to by those who make one.
struct EventDigits {
    static constexpr int kTime = 3, kProbability = 6, kEmbedding = 7, kPlace = 2, kConfidence = 4,
                         kQuality = 4;
};

enum class EmbeddingFormat { kList, kBase64 };  ///< numbers, or base64 of little-endian float16

/// The event as one line of JSON, without a line end. Ids stand as a number and as a string, for
/// readers that round numbers above 2^53.
///
/// Throws InputError: a number that is not finite, or text that is not UTF-8.
std::string to_json(const Event& event, EmbeddingFormat format = EmbeddingFormat::kList);

/// Events as one protobuf message `nv.Frame`, as DeepStream's message converters write them, so
/// that what reads theirs reads these: an `nv.Object` each, its embedding in field 6, all that the
/// schema has no field for as text in `info`; `pose` is left to human bodies. Frame.timestamp is
/// the latest end of a track, where the clock is known.
///
/// Throws InputError: no event, events of several cameras, a number that is not finite, or text
/// that is not UTF-8.
std::string to_protobuf(const std::vector<Event>& events);

}  // namespace pamtri::core
