// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include <nanobind/stl/pair.h>
#include <nanobind/stl/vector.h>

#include <cstdint>
#include <utility>

#include "bindings.hpp"
#include "detections.hpp"
#include "errors.hpp"

namespace pamtri::core {

using namespace nb::literals;

namespace {

using Size = std::pair<std::int32_t, std::int32_t>;  // width, height
using BoxRows = nb::ndarray<const float, nb::shape<-1, 4>, nb::c_contig, nb::device::cpu>;

FrameSize size_of(const Size& size) {
    if (size.first < 1 || size.second < 1)
        throw InputError("a picture of " + std::to_string(size.first) + "x" +
                         std::to_string(size.second) + " has no pixels.");
    return {size.first, size.second};
}

nb::tuple sides_of(const Rectangle& r) { return nb::make_tuple(r.x1, r.y1, r.x2, r.y2); }

}  // namespace

void bind_detections(nb::module_& m) {
    nb::class_<FramePlace>(m, "FramePlace")
        .def_prop_ro("filled", [](const FramePlace& self) { return sides_of(self.filled); })
        .def(
            "in_frame",
            [](const FramePlace& self, const BoxRows& boxes, const Size& frame) {
                std::vector<double> sides;
                for (std::size_t i = 0; i < boxes.shape(0); ++i) {
                    const float* row = boxes.data() + 4 * i;
                    const Box box = self.in_frame({row[0], row[1], row[2], row[3]}, size_of(frame));
                    sides.insert(sides.end(), {box.x1, box.y1, box.x2, box.y2});
                }
                return array_of(std::move(sides), boxes.shape(0), 4);
            },
            "boxes"_a, "frame"_a);
    m.def(
        "place_frame",
        [](const Size& frame, const Size& picture, const std::string& fit) {
            return place_frame(size_of(frame), size_of(picture), fit_of(fit));
        },
        "frame"_a, "picture"_a, "fit"_a);
    m.def(
        "suppress",
        [](const BoxRows& boxes, const FloatArray& scores, float overlap) {
            if (boxes.shape(0) != scores.shape(0))
                throw InputError("there are " + std::to_string(boxes.shape(0)) + " boxes and " +
                                 std::to_string(scores.shape(0)) + " scores; expected as many.");
            const std::vector<float> rows(boxes.data(), boxes.data() + 4 * boxes.shape(0));
            return suppress(rows, {scores.data(), scores.data() + scores.shape(0)}, overlap);
        },
        "boxes"_a, "scores"_a, "overlap"_a);
}

}  // namespace pamtri::core
