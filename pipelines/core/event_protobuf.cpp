// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Events in the schema of DeepStream's message converters (package nv): its field numbers, and what
// it has no field for as text in an object's `info`.
#include <algorithm>

#include "errors.hpp"
#include "event.hpp"
#include "event_checks.hpp"
#include "json_text.hpp"
#include "protobuf.hpp"
#include "utc.hpp"

namespace pamtri::core {
namespace {

constexpr char kVersion[] = "4.0";  // of the schema, as the converters write it

namespace frame {
constexpr int kVersion = 1, kTimestamp = 3, kSensor = 4, kObjects = 5;
}
namespace object {
constexpr int kId = 1, kBox = 2, kType = 3, kInfo = 5, kEmbedding = 6;
}

std::string shown(double value) {
    std::string text;
    append_number(text, value);
    return text;
}

/// A text as it is; JSON's writer knows what is no UTF-8.
const std::string& checked(const std::string& text) {
    std::string json;
    append_text(json, text);
    return text;
}

class Info {
  public:
    explicit Info(ProtobufMessage& message) : message_(message) {}

    void text(const char* name, const std::string& value) {
        message_.entry(object::kInfo, name, checked(value));
    }
    void number(const char* name, double value) { text(name, shown(value)); }
    void optional(const char* name, const std::optional<std::string>& value) {
        if (value) text(name, *value);
    }

    /// The label by its name, its probability, and those of all classes as JSON.
    void attribute(const std::string& name, const std::optional<Attribute>& attribute) {
        if (!attribute) return;
        text(name.c_str(), attribute->label);
        number((name + "_probability").c_str(), attribute->probability);
        Json all = Json::object();
        for (const auto& [label, probability] : attribute->all) all[checked(label)] = probability;
        text((name + "_all").c_str(), python_json(all));
    }

  private:
    ProtobufMessage& message_;
};

ProtobufMessage box_of(const Event& event) {
    ProtobufMessage box;
    for (int side = 0; side < 4; ++side)
        box.real(side + 1, static_cast<float>(event.box[static_cast<std::size_t>(side)]));
    return box;
}

std::string keypoints_of(const Event& event) {
    Json rows = Json::array();
    for (const Keypoint& one : *event.keypoints)
        rows.push_back(Json::array({one.x, one.y, one.confidence}));
    return python_json(rows);
}

ProtobufMessage object_of(const Event& event) {
    ProtobufMessage object;
    object.bytes(object::kId, std::to_string(event.track_id));
    object.message(object::kBox, box_of(event));
    object.bytes(object::kType, "Vehicle");
    ProtobufMessage embedding;
    embedding.reals(1, event.embedding);
    object.message(object::kEmbedding, embedding);
    Info info(object);
    info.attribute("color", event.color);
    info.attribute("type", event.type);
    info.number("start_s", event.start_s);
    info.number("end_s", event.end_s);
    info.optional("start_utc", event.start_utc);
    info.optional("end_utc", event.end_utc);
    info.text("frames_seen", std::to_string(event.seen));
    info.text("frames_embedded", std::to_string(event.embedded));
    info.text("below_gate", event.below_gate ? "true" : "false");
    std::string reasons;
    for (const std::string& reason : event.below_gate_reason)
        reasons += (reasons.empty() ? "" : ",") + reason;
    if (!reasons.empty()) info.text("below_gate_reason", reasons);
    if (event.quality) info.number("quality", *event.quality);
    if (event.keypoints) info.text("keypoints", keypoints_of(event));
    info.text("embedding_space", event.embedding_space);
    info.text("bundle", event.bundle);
    info.text("schema", std::to_string(Event::kSchema));
    return object;
}

ProtobufMessage timestamp_of(Moment moment) {
    constexpr Moment kSecond = 1'000'000;
    Moment seconds = moment / kSecond;
    if (moment % kSecond < 0) --seconds;  // nanos count forward
    ProtobufMessage timestamp;
    timestamp.varint(1, static_cast<std::uint64_t>(seconds));
    timestamp.varint(2, static_cast<std::uint64_t>(1000 * (moment - seconds * kSecond)));
    return timestamp;
}

}  // namespace

std::string to_protobuf(const std::vector<Event>& events) {
    if (events.empty()) throw InputError("there is no event to write; expected one or more.");
    ProtobufMessage frame;
    frame.bytes(frame::kVersion, kVersion);
    std::optional<Moment> latest;
    for (const Event& event : events) {
        if (event.camera != events.front().camera)
            throw InputError("the events are of cameras '" + events.front().camera + "' and '" +
                             event.camera + "'; a message holds those of one.");
        if (event.end_utc) latest = std::max(latest, moment_of(*event.end_utc));
    }
    if (latest) frame.message(frame::kTimestamp, timestamp_of(*latest));
    frame.bytes(frame::kSensor, checked(events.front().camera));
    for (const Event& event : events) {
        check_numbers(event);
        frame.message(frame::kObjects, object_of(event));
    }
    return frame.content();
}

}  // namespace pamtri::core
