// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include <nanobind/stl/map.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/vector.h>

#include <cstdint>
#include <utility>

#include "bindings.hpp"
#include "detector_plan.hpp"

namespace pamtri::core {

using namespace nb::literals;

namespace {

using Size = std::pair<std::int32_t, std::int32_t>;  // width, height
using Outputs = std::vector<nb::ndarray<const float, nb::c_contig, nb::device::cpu>>;

std::vector<OutputView> views_of(const Outputs& outputs) {
    std::vector<OutputView> views;
    for (const auto& output : outputs) {
        views.push_back({{}, output.data()});
        for (std::size_t axis = 0; axis < output.ndim(); ++axis)
            views.back().shape.push_back(output.shape(axis));
    }
    return views;
}

}  // namespace

void bind_detectors(nb::module_& m) {
    nb::class_<Decoder>(m, "Decoder")
        .def(
            "__init__",
            [](Decoder* self, const std::string& description) {
                new (self) Decoder(Decoder::parse(description));
            },
            "description"_a)
        .def(
            "read",
            [](const Decoder& self, const Outputs& outputs, const std::vector<int>& wanted,
               float least) {
                Candidates found = self.read(views_of(outputs), wanted, least);
                const std::size_t count = found.scores.size();
                return nb::make_tuple(array_of(std::move(found.boxes), count, 4),
                                      array_of(std::move(found.scores), count),
                                      array_of(std::move(found.classes), count));
            },
            "outputs"_a, "wanted"_a, "least"_a);
    m.def(
        "detector_cells",
        [](const Size& picture, const std::vector<int>& strides) {
            std::vector<float> rows;
            for (const Cell& cell : cells({picture.first, picture.second}, strides))
                rows.insert(rows.end(), {cell.column, cell.row, cell.stride});
            const std::size_t count = rows.size() / 3;
            return array_of(std::move(rows), count, 3);
        },
        "picture"_a, "strides"_a);
    m.def(
        "wanted_classes",
        [](const std::string& network, const std::optional<std::vector<std::string>>& asked,
           const std::map<int, std::string>& names, int every, int limit,
           const std::optional<std::vector<int>>& vehicles, const std::string& refusal) {
            const nb::object casefold =
                nb::module_::import_("builtins").attr("str").attr("casefold");
            const auto fold = [&casefold](const std::string& text) {
                return nb::cast<std::string>(casefold(text));
            };
            return wanted_classes(network, asked, fold, {names, every, limit, vehicles, refusal});
        },
        "network"_a, "asked"_a.none(), "names"_a, "every"_a, "limit"_a, "vehicles"_a.none(),
        "refusal"_a);
    m.def(
        "check_detector_plan",
        [](const std::string& description) { DetectorPlan::parse(description); }, "description"_a);
}

}  // namespace pamtri::core
