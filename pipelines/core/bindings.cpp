// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// pamtri_edge._core: the decisions on NumPy arrays. What is refused is refused as
// pamtri_edge.errors.InputError, in the core's own words.
#include "bindings.hpp"

#include <dlfcn.h>
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crop_rules.hpp"
#include "errors.hpp"
#include "fusion.hpp"
#include "gate.hpp"
#include "view.hpp"

namespace nb = nanobind;
using namespace nb::literals;
using namespace pamtri::core;

namespace {

using BoxArray = nb::ndarray<const double, nb::shape<-1, 4>, nb::c_contig, nb::device::cpu>;
using Numbers = std::array<std::int32_t, 4>;

std::vector<Box> boxes_of(const BoxArray& array) {
    std::vector<Box> boxes(array.shape(0));
    const double* value = array.data();
    for (Box& box : boxes) {
        box = {value[0], value[1], value[2], value[3]};
        value += 4;
    }
    return boxes;
}

FrameSize frame_of(std::int64_t width, std::int64_t height) {
    constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
    if (width < 0 || height < 0 || width > most || height > most)
        throw InputError("the frame is " + std::to_string(width) + "x" + std::to_string(height) +
                         "; expected sides of 0 to 2147483647 pixels.");
    return {static_cast<std::int32_t>(width), static_cast<std::int32_t>(height)};
}

Numbers numbers_of(const Rectangle& rectangle) {
    return {rectangle.x1, rectangle.y1, rectangle.x2, rectangle.y2};
}

void bind_spec(nb::module_& m) {
    nb::class_<GateSpec>(m, "GateSpec")
        .def(nb::init<>())
        .def_rw("min_side", &GateSpec::min_side)
        .def_rw("max_views", &GateSpec::max_views)
        .def_rw("reinfer_interval", &GateSpec::reinfer_interval)
        .def_rw("reinfer_growth", &GateSpec::reinfer_growth)
        .def_rw("reinfer_overlap", &GateSpec::reinfer_overlap)
        .def_rw("max_overlap", &GateSpec::max_overlap)
        .def_rw("border_px", &GateSpec::border_px)
        .def_rw("cut_factor", &GateSpec::cut_factor)
        .def_rw("sharp", &GateSpec::sharp)
        .def_rw("blur_factor", &GateSpec::blur_factor)
        .def_rw("gain", &GateSpec::gain)
        .def_rw("last_gain", &GateSpec::last_gain)
        .def_rw("min_quality", &GateSpec::min_quality)
        .def("check", &GateSpec::check);
}

void bind_views(nb::module_& m) {
    nb::class_<Sighting>(m, "Sighting")
        .def(
            "__init__",
            [](Sighting* self, double time_s, const Numbers& r, bool cut, double overlap) {
                new (self) Sighting{time_s, {r[0], r[1], r[2], r[3]}, cut, overlap};
            },
            "time_s"_a, "rectangle"_a, "cut"_a, "overlap"_a)
        .def_ro("time_s", &Sighting::time_s)
        .def_prop_ro("rectangle",
                     [](const Sighting& self) {
                         const Rectangle& r = self.rectangle;
                         return nb::make_tuple(r.x1, r.y1, r.x2, r.y2);
                     })
        .def_ro("cut", &Sighting::cut)
        .def_ro("overlap", &Sighting::overlap);
    nb::class_<View>(m, "View")
        .def_ro("ticket", &View::ticket)
        .def_ro("sighting", &View::sighting)
        .def_ro("worth", &View::worth)
        .def_prop_ro("failings", [](const View& self) { return words_of(self.failings); });
    m.def(
        "sightings",
        [](const BoxArray& boxes, std::int64_t width, std::int64_t height, double time_s,
           const std::string& rule, double border_px) {
            nb::list list;
            for (const Found& found : sightings(boxes_of(boxes), frame_of(width, height), time_s,
                                                crop_rule_of(rule), border_px))
                list.append(nb::make_tuple(found.index, found.sighting));
            return list;
        },
        "boxes"_a, "frame_width"_a, "frame_height"_a, "time_s"_a, "rule"_a, "border_px"_a);
}

void bind_gate(nb::module_& m) {
    nb::class_<Verdict>(m, "Verdict")
        .def_ro("keep", &Verdict::keep)
        .def_ro("send", &Verdict::send)
        .def_ro("in_turn", &Verdict::in_turn)
        .def_ro("drop", &Verdict::drop);
    nb::class_<TrackGate>(m, "TrackGate")
        .def(nb::init<const GateSpec&, bool>(), "spec"_a, "trained"_a)
        .def("wants_detail", &TrackGate::wants_detail, "sighting"_a)
        .def("offer", &TrackGate::offer, "sighting"_a, "detail"_a.none(), "ticket"_a)
        .def("close", &TrackGate::close)
        .def("held", &TrackGate::held)
        .def(
            "judge",
            [](const TrackGate& self, const View& view, std::optional<double> quality) {
                const Judgement judgement = self.judge(view, quality);
                return nb::make_tuple(judgement.weight, judgement.worth,
                                      words_of(judgement.failings));
            },
            "view"_a, "quality"_a.none());
}

void bind_fusion(nb::module_& m) {
    nb::class_<Fusion>(m, "Fusion")
        .def(nb::init<>())
        .def(
            "add",
            [](Fusion& self, double weight, double worth, bool good, const FloatArray& embedding,
               const std::optional<FloatArray>& color, const std::optional<FloatArray>& type) {
                return self.add(weight, worth, good, {embedding.data(), embedding.shape(0)},
                                values_of(color), values_of(type));
            },
            "weight"_a, "worth"_a, "good"_a, "embedding"_a, "color_probs"_a.none(),
            "type_probs"_a.none())
        .def_prop_ro("good", &Fusion::good)
        .def("embedding",
             [](const Fusion& self) {
                 std::vector<float> values = self.embedding();
                 const std::size_t size = values.size();
                 return array_of(std::move(values), size);
             })
        .def("color_probs", [](const Fusion& self) { return probabilities_of(self.color()); })
        .def("type_probs", [](const Fusion& self) { return probabilities_of(self.type()); });
}

/// GStreamer brings libunwind, which has functions of the same names as the compiler's own for
/// exceptions. Libraries that are loaded after it would find those, and those before it not: an
/// exception that passes through both ends the process. So from here on all find the compiler's.
void share_unwinder() { dlopen("libgcc_s.so.1", RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD); }

}  // namespace

NB_MODULE(_core, m) {
    share_unwinder();
    m.doc() = "The decisions of a run: crop rules, views, gate, fusion, tracks, events, overlays.";
    // The type lives as long as the interpreter.
    nb::object error = nb::module_::import_("pamtri_edge.errors").attr("InputError");
    nb::register_exception_translator(
        [](const std::exception_ptr& thrown, void* type) {
            try {
                std::rethrow_exception(thrown);
            } catch (const InputError& refused) {
                PyErr_SetString(static_cast<PyObject*>(type), refused.what());
            }
        },
        error.release().ptr());

    m.def(
        "crop_rectangles",
        [](const BoxArray& boxes, std::int64_t width, std::int64_t height,
           const std::string& rule) {
            std::vector<std::int32_t> values;
            values.reserve(4 * boxes.shape(0));
            for (const Rectangle& rectangle :
                 crop_rectangles(boxes_of(boxes), frame_of(width, height), crop_rule_of(rule)))
                for (const std::int32_t value : numbers_of(rectangle)) values.push_back(value);
            return array_of(std::move(values), boxes.shape(0), 4);
        },
        "boxes"_a, "frame_width"_a, "frame_height"_a, "rule"_a);
    bind_spec(m);
    bind_views(m);
    bind_gate(m);
    bind_fusion(m);
    bind_tracks(m);
    bind_events(m);
    bind_engines(m);
    bind_detections(m);
    bind_detectors(m);
    bind_overlay(m);
}
