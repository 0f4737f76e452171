// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include <nanobind/stl/array.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bindings.hpp"
#include "conclude.hpp"
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

using Names = std::optional<std::vector<std::string>>;
using Rows = nb::ndarray<const float, nb::shape<-1, 3>, nb::c_contig, nb::device::cpu>;

std::vector<float> vector_of(const std::optional<FloatArray>& values) {
    return values ? std::vector<float>(values->data(), values->data() + values->size())
                  : std::vector<float>();
}

/// label, probability, and the names with their probabilities.
nb::object told(const std::optional<Attribute>& attribute) {
    if (!attribute) return nb::none();
    nb::dict all;
    for (const auto& [name, probability] : attribute->all) all[name.c_str()] = probability;
    return nb::make_tuple(attribute->label, attribute->probability, all);
}

nb::object told(const std::optional<std::vector<Keypoint>>& keypoints) {
    if (!keypoints) return nb::none();
    nb::list rows;
    for (const Keypoint& k : *keypoints) rows.append(nb::make_tuple(k.x, k.y, k.confidence));
    return nb::tuple(rows);
}

/// What of an event is decided here, by the names of its fields.
nb::dict event_fields(double first_s, double last_s, const std::array<int, 4>& rectangle,
                      const FloatArray& embedding, const std::optional<FloatArray>& color,
                      const std::optional<FloatArray>& type, const std::optional<Rows>& keypoints,
                      std::optional<double> quality, Names colors, Names types) {
    Conclusion track;
    track.first_s = first_s;
    track.last_s = last_s;
    track.rectangle = {rectangle[0], rectangle[1], rectangle[2], rectangle[3]};
    track.embedding = vector_of(embedding);
    track.color = vector_of(color);
    track.type = vector_of(type);
    if (keypoints) track.keypoints.assign(keypoints->data(), keypoints->data() + keypoints->size());
    track.quality = quality;
    const Event event = make_event(track, {std::move(colors), std::move(types), "", ""}, "", {});
    nb::dict fields;
    fields["start_s"] = event.start_s;
    fields["end_s"] = event.end_s;
    fields["box"] = nb::make_tuple(event.box[0], event.box[1], event.box[2], event.box[3]);
    fields["color"] = told(event.color);
    fields["type"] = told(event.type);
    fields["embedding"] = nb::tuple(nb::cast(event.embedding));
    fields["keypoints"] = told(event.keypoints);
    fields["quality"] = event.quality;
    return fields;
}

}  // namespace

void bind_events(nb::module_& m) {
    m.def("event_fields", &event_fields, "first_s"_a, "last_s"_a, "rectangle"_a, "embedding"_a,
          "color_probs"_a.none(), "type_probs"_a.none(), "keypoints"_a.none(), "quality"_a.none(),
          "colors"_a.none(), "types"_a.none());
    m.def(
        "most_probable",
        [](const std::optional<FloatArray>& probabilities, const Names& names) {
            return most_probable(vector_of(probabilities), names);
        },
        "probabilities"_a.none(), "names"_a.none());
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
    m.def("utc_text", &utc_text, "start_us"_a.none(), "seconds"_a);
}

}  // namespace pamtri::core
