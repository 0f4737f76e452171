// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include <nanobind/stl/vector.h>

#include <cstdint>

#include "bindings.hpp"
#include "errors.hpp"
#include "event.hpp"
#include "utc.hpp"

namespace pamtri::core {

using namespace nb::literals;

namespace {

/// Reads the attributes of Python's events.Event; what is of another kind is refused by its name.
class Fields {
  public:
    explicit Fields(nb::handle object) : object_(object) {}

    std::string text(const char* name) const { return text_of(value(name), name); }

    template <typename T>
    T number(const char* name) const {
        return number_of<T>(value(name), name);
    }

    template <typename Read>
    auto optional(const char* name, const Read& read) const
        -> std::optional<decltype(read(nb::object()))> {
        const nb::object found = value(name);
        if (found.is_none()) return {};
        return read(found);
    }

    nb::object value(const char* name) const { return object_.attr(name); }

    static std::string text_of(nb::handle value, const char* name) {
        Py_ssize_t size = 0;
        const char* text =
            PyUnicode_Check(value.ptr()) ? PyUnicode_AsUTF8AndSize(value.ptr(), &size) : nullptr;
        if (text == nullptr) {
            PyErr_Clear();
            throw InputError(std::string(name) + " of an event is no text that UTF-8 can hold.");
        }
        return {text, static_cast<std::size_t>(size)};
    }

    template <typename T>
    static T number_of(nb::handle value, const char* name) {
        T number{};
        if (!nb::try_cast<T>(value, number))
            throw InputError(std::string(name) + " of an event is no number of its range.");
        return number;
    }

  private:
    nb::handle object_;
};

Attribute attribute_of(const nb::object& object) {
    const Fields fields(object);
    Attribute attribute;
    attribute.label = fields.text("label");
    attribute.probability = fields.number<double>("probability");
    for (nb::handle pair : fields.value("all").attr("items")())
        attribute.all.emplace_back(Fields::text_of(pair[0], "a label"),
                                   Fields::number_of<double>(pair[1], "a probability"));
    return attribute;
}

std::vector<Keypoint> keypoints_of(const nb::object& rows) {
    std::vector<Keypoint> keypoints;
    const auto number = [](nb::handle value) {
        return Fields::number_of<double>(value, "keypoints");
    };
    for (nb::handle row : rows)
        keypoints.push_back({number(row[0]), number(row[1]), number(row[2])});
    return keypoints;
}

Event event_of(nb::handle object) {
    const Fields fields(object);
    const auto text = [](const nb::object& value) { return Fields::text_of(value, "a field"); };
    const nb::object counts = fields.value("frames");
    Event event;
    event.camera = fields.text("camera");
    event.track_id = fields.number<std::uint64_t>("track_id");
    event.start_s = fields.number<double>("start_s");
    event.end_s = fields.number<double>("end_s");
    event.start_utc = fields.optional("start_utc", text);
    event.end_utc = fields.optional("end_utc", text);
    event.seen = Fields(counts).number<std::uint64_t>("seen");
    event.embedded = Fields(counts).number<std::uint64_t>("embedded");
    event.below_gate = nb::cast<bool>(fields.value("below_gate"));
    for (nb::handle reason : fields.value("below_gate_reason"))
        event.below_gate_reason.push_back(Fields::text_of(reason, "below_gate_reason"));
    const nb::object box = fields.value("box");
    for (std::size_t side = 0; side < 4; ++side)
        event.box[side] = Fields::number_of<double>(box[side], "box");
    event.color = fields.optional("color", attribute_of);
    event.type = fields.optional("type", attribute_of);
    for (nb::handle value : fields.value("embedding"))
        event.embedding.push_back(Fields::number_of<double>(value, "embedding"));
    event.keypoints = fields.optional("keypoints", keypoints_of);
    event.quality = fields.optional("quality", [](const nb::object& value) {
        return Fields::number_of<double>(value, "quality");
    });
    event.embedding_space = fields.text("embedding_space");
    event.bundle = fields.text("bundle");
    return event;
}

}  // namespace

void bind_events(nb::module_& m) {
    m.def(
        "event_json",
        [](const nb::object& event, bool base64) {
            return to_json(event_of(event),
                           base64 ? EmbeddingFormat::kBase64 : EmbeddingFormat::kList);
        },
        "event"_a, "base64"_a);
    m.def(
        "events_protobuf",
        [](const nb::list& events) {
            std::vector<Event> read;
            for (nb::handle event : events) read.push_back(event_of(event));
            const std::string message = to_protobuf(read);
            return nb::bytes(message.data(), message.size());
        },
        "events"_a);
    nb::dict digits;
    digits["time"] = EventDigits::kTime;
    digits["probability"] = EventDigits::kProbability;
    digits["embedding"] = EventDigits::kEmbedding;
    digits["place"] = EventDigits::kPlace;
    digits["confidence"] = EventDigits::kConfidence;
    digits["quality"] = EventDigits::kQuality;
    m.attr("EVENT_DIGITS") = digits;
    m.def("utc_text", &utc_text, "start_us"_a.none(), "seconds"_a);
}

}  // namespace pamtri::core
