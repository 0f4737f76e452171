// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "event.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "errors.hpp"
#include "event_checks.hpp"
#include "json_text.hpp"
#include "pamtri/half.hpp"

namespace pamtri::core {
namespace {

/// Base64 of the numbers as little-endian float16.
std::string base64_halves(const std::vector<double>& values) {
    static constexpr char kLetters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::vector<unsigned> bytes;
    bytes.reserve(2 * values.size() + 2);
    for (const double value : values) {
        const unsigned half = to_half(static_cast<float>(value)).bits;
        bytes.push_back(half & 0xff);
        bytes.push_back(half >> 8);
    }
    const std::size_t count = bytes.size();
    bytes.resize((count + 2) / 3 * 3);
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const unsigned three = bytes[i] << 16 | bytes[i + 1] << 8 | bytes[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6) text += kLetters[three >> shift & 63];
    }
    for (std::size_t i = count; i < bytes.size(); ++i) text[text.size() - (i - count) - 1] = '=';
    return text;
}

/// Writes members one after the other.
class Writer {
  public:
    Writer& name(const char* name) {
        json_ += first_ ? "" : ",";
        json_.append("\"").append(name).append("\":");
        first_ = false;
        return *this;
    }

    void text(const std::string& text) { append_text(json_, text); }
    void number(double value) { append_number(json_, value); }
    void whole(std::uint64_t value) { json_ += std::to_string(value); }
    void word(const char* word) { json_ += word; }

    void optional(const std::optional<std::string>& value) { value ? text(*value) : word("null"); }

    template <typename Items, typename Write>
    void list(const Items& items, const Write& write) {
        json_ += '[';
        bool first = true;
        for (const auto& item : items) {
            if (!first) json_ += ',';
            first = false;
            write(item);
        }
        json_ += ']';
    }

    void attribute(const std::optional<Attribute>& attribute) {
        if (!attribute) return word("null");
        open();
        name("label").text(attribute->label);
        name("probability").number(attribute->probability);
        name("all").open();
        for (const auto& [label, probability] : attribute->all) {
            json_ += first_ ? "" : ",";
            first_ = false;
            text(label);
            json_ += ':';
            number(probability);
        }
        close();
        close();
    }

    void open() {
        json_ += '{';
        first_ = true;
    }
    void close() {
        json_ += '}';
        first_ = false;
    }

    std::string take() { return std::move(json_); }

  private:
    std::string json_;
    bool first_ = true;
};

}  // namespace

void check_numbers(const Event& event) {
    const auto check = [](double value, const char* name) {
        if (!std::isfinite(value))
            throw InputError(std::string(name) + " of an event holds a number that is not finite.");
    };
    check(event.start_s, "start_s");
    check(event.end_s, "end_s");
    for (const double value : event.box) check(value, "box");
    for (const double value : event.embedding) check(value, "embedding");
    if (event.quality) check(*event.quality, "quality");
    if (event.keypoints) {
        for (const Keypoint& keypoint : *event.keypoints)
            for (const double value : {keypoint.x, keypoint.y, keypoint.confidence})
                check(value, "keypoints");
    }
    for (const auto& [name, attribute] :
         {std::pair{"color", &event.color}, {"type", &event.type}}) {
        if (!*attribute) continue;
        check((*attribute)->probability, name);
        for (const auto& entry : (*attribute)->all) check(entry.second, name);
    }
}

std::string to_json(const Event& event, EmbeddingFormat format) {
    check_numbers(event);
    Writer json;
    const auto number = [&json](double value) { json.number(value); };
    json.open();
    json.name("schema").whole(Event::kSchema);
    json.name("camera").text(event.camera);
    json.name("track_id").whole(event.track_id);
    json.name("track_id_str").text(std::to_string(event.track_id));
    json.name("start_s").number(event.start_s);
    json.name("end_s").number(event.end_s);
    json.name("start_utc").optional(event.start_utc);
    json.name("end_utc").optional(event.end_utc);
    json.name("frames").open();
    json.name("seen").whole(event.seen);
    json.name("embedded").whole(event.embedded);
    json.close();
    json.name("below_gate").word(event.below_gate ? "true" : "false");
    json.name("box").list(event.box, number);
    json.name("color").attribute(event.color);
    json.name("type").attribute(event.type);
    json.name("embedding");
    if (format == EmbeddingFormat::kBase64) {
        json.text(base64_halves(event.embedding));
    } else {
        json.list(event.embedding, number);
    }
    json.name("keypoints");
    if (event.keypoints) {
        json.list(*event.keypoints, [&](const Keypoint& one) {
            json.list(std::array{one.x, one.y, one.confidence}, number);
        });
    } else {
        json.word("null");
    }
    json.name("quality");
    event.quality ? json.number(*event.quality) : json.word("null");
    json.name("embedding_space").text(event.embedding_space);
    json.name("bundle").text(event.bundle);
    json.name("below_gate_reason").list(event.below_gate_reason, [&](const std::string& reason) {
        json.text(reason);
    });
    json.close();
    return json.take();
}

}  // namespace pamtri::core
