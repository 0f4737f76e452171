// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// pamtri_edge._native: the CPU operations on NumPy arrays, without the GIL. Nothing is converted or
// allocated: every array, the result included, is the caller's, in C order.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/vector.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <vector>

#include "operations.hpp"
#include "parallel.hpp"
#include "planar.hpp"
#include "rows.hpp"

namespace nb = nanobind;
using namespace nb::literals;
namespace cpu = pamtri::cpu;

namespace {

template <long... Shape>
using Floats =
    nb::ndarray<nb::numpy, const float, nb::shape<Shape...>, nb::c_contig, nb::device::cpu>;
template <long... Shape>
using Result = nb::ndarray<nb::numpy, float, nb::shape<Shape...>, nb::c_contig, nb::device::cpu>;
template <long... Shape>
using Integers =
    nb::ndarray<nb::numpy, const int, nb::shape<Shape...>, nb::c_contig, nb::device::cpu>;
template <typename T, long... Shape>
using InPlace = nb::ndarray<nb::numpy, T, nb::shape<Shape...>, nb::c_contig, nb::device::cpu>;
using Plane = nb::ndarray<nb::numpy, const std::uint8_t, nb::shape<-1, -1>, nb::device::cpu>;
using Pixels = nb::ndarray<nb::numpy, const std::uint8_t, nb::shape<-1, -1, 3>, nb::device::cpu>;

constexpr std::size_t kLargestSide = 16384;

void require(bool holds, const char* message) {
    if (!holds) throw std::invalid_argument(message);
}

int checked_side(std::size_t height, std::size_t width, const char* message) {
    require(height == width && height >= 1 && height <= kLargestSide, message);
    return static_cast<int>(height);
}

cpu::SegmentRule checked_rule(const Integers<-1, 4>& corners, std::size_t keypoints,
                              float threshold) {
    const std::size_t count = corners.shape(0);
    for (std::size_t i = 0; i < count * 4; ++i) {
        const int corner = corners.data()[i];
        require(corner >= 0 && static_cast<std::size_t>(corner) < keypoints,
                "corners must be row numbers of a vehicle's keypoints");
    }
    return {corners.data(), count, threshold};
}

cpu::Picture checked_picture(const Pixels& pixels) {
    require(pixels.stride(2) == 1 && pixels.stride(1) == 3 && pixels.stride(0) >= 0,
            "a picture's pixels must lie side by side in memory (rows may be apart)");
    require(pixels.shape(0) >= 1 && pixels.shape(1) >= 1, "a picture must have pixels");
    return {pixels.data(), pixels.stride(0), static_cast<int>(pixels.shape(1)),
            static_cast<int>(pixels.shape(0))};
}

void decode(const Floats<-1, -1, -1, -1>& heatmaps, const Result<-1, -1, 3>& out, bool crop_units) {
    const int side =
        checked_side(heatmaps.shape(2), heatmaps.shape(3), "heatmaps must be (N, K, S, S)");
    require(out.shape(0) == heatmaps.shape(0) && out.shape(1) == heatmaps.shape(1),
            "out must be (N, K, 3)");
    const nb::gil_scoped_release unlocked;
    cpu::decode(heatmaps.data(), heatmaps.shape(0) * heatmaps.shape(1), side, crop_units,
                out.data());
}

void segments(const Floats<-1, -1, 3>& keypoints, const Integers<-1, 4>& corners,
              const Result<-1, -1, -1, -1>& out, float threshold) {
    const cpu::SegmentRule rule = checked_rule(corners, keypoints.shape(1), threshold);
    const int size =
        checked_side(out.shape(2), out.shape(3), "out must be (N, segments, size, size)");
    require(out.shape(0) == keypoints.shape(0) && out.shape(1) == rule.count,
            "out must be (N, segments, size, size)");
    const nb::gil_scoped_release unlocked;
    cpu::segments(keypoints.data(), keypoints.shape(0), keypoints.shape(1), rule, size, out.data());
}

void stack(const Floats<-1, 3, -1, -1>& images,
           const std::optional<Floats<-1, -1, -1, -1>>& heatmaps,
           const std::optional<Floats<-1, -1, -1, -1>>& segments,
           const std::optional<Floats<-1, -1, 3>>& keypoints, const Integers<-1, 4>& corners,
           float threshold, const Floats<3, 2>& rgb_affine, const Floats<2>& extra_affine,
           const Result<-1, -1, -1, -1>& out) {
    cpu::StackInputs inputs{};
    inputs.vehicles = images.shape(0);
    inputs.size = checked_side(images.shape(2), images.shape(3), "images must be (N, 3, P, P)");
    inputs.images = images.data();
    for (int channel = 0; channel < 3; ++channel) {
        inputs.rgb[channel] = {rgb_affine.data()[2 * channel], rgb_affine.data()[2 * channel + 1]};
    }
    inputs.extra = {extra_affine.data()[0], extra_affine.data()[1]};
    const std::size_t size = images.shape(2);
    if (heatmaps) {
        require(heatmaps->shape(0) == inputs.vehicles && heatmaps->shape(2) * 4 == size &&
                    heatmaps->shape(3) * 4 == size,
                "heatmaps must be (N, K, P / 4, P / 4)");
        inputs.heatmaps = heatmaps->data();
        inputs.heatmap_count = heatmaps->shape(1);
    }
    require(!(segments && keypoints), "segments and keypoints exclude each other");
    if (segments) {
        require(segments->shape(0) == inputs.vehicles && segments->shape(2) == size &&
                    segments->shape(3) == size,
                "segments must be (N, segments, P, P)");
        inputs.segments = segments->data();
        inputs.rule.count = segments->shape(1);
    } else if (keypoints) {
        require(keypoints->shape(0) == inputs.vehicles, "keypoints must be (N, K, 3)");
        inputs.keypoints = keypoints->data();
        inputs.per_vehicle = keypoints->shape(1);
        inputs.rule = checked_rule(corners, keypoints->shape(1), threshold);
    }
    require(out.shape(0) == inputs.vehicles &&
                out.shape(1) == 3 + inputs.heatmap_count + inputs.rule.count &&
                out.shape(2) == size && out.shape(3) == size,
            "out must be (N, channels, P, P)");
    const nb::gil_scoped_release unlocked;
    cpu::stack(inputs, out.data());
}

void resize_all(const std::vector<cpu::Picture>& pictures, const Result<-1, 3, -1, -1>& out,
                bool swap_channels) {
    const int size = checked_side(out.shape(2), out.shape(3), "out must be (N, 3, size, size)");
    require(out.shape(0) == pictures.size(), "out must be (N, 3, size, size)");
    const nb::gil_scoped_release unlocked;
    cpu::resize(pictures, {size, size}, swap_channels, out.data());
}

void resize(const std::vector<Pixels>& crops, const Result<-1, 3, -1, -1>& out,
            bool swap_channels) {
    std::vector<cpu::Picture> pictures;
    for (const Pixels& crop : crops) pictures.push_back(checked_picture(crop));
    resize_all(pictures, out, swap_channels);
}

void crop(const Pixels& frame, const Integers<-1, 4>& rectangles, const Result<-1, 3, -1, -1>& out,
          bool swap_channels) {
    const cpu::Picture whole = checked_picture(frame);
    std::vector<cpu::Picture> pictures;
    for (std::size_t i = 0; i < rectangles.shape(0); ++i) {
        const int* box = rectangles.data() + 4 * i;
        require(0 <= box[0] && box[0] < box[2] && box[2] <= whole.width && 0 <= box[1] &&
                    box[1] < box[3] && box[3] <= whole.height,
                "rectangles must be x1 < x2, y1 < y2 inside the frame");
        pictures.push_back({whole.pixels + box[1] * whole.row_bytes + 3 * std::ptrdiff_t{box[0]},
                            whole.row_bytes, box[2] - box[0], box[3] - box[1]});
    }
    resize_all(pictures, out, swap_channels);
}

void sharpness(const std::vector<Pixels>& crops, const InPlace<double, -1>& out,
               bool swap_channels) {
    std::vector<cpu::Picture> pictures;
    for (const Pixels& crop : crops) pictures.push_back(checked_picture(crop));
    require(out.shape(0) == pictures.size(), "out must be (N,)");
    const nb::gil_scoped_release unlocked;
    cpu::sharpness(pictures, swap_channels, out.data());
}

void note_nearest(const Result<-1, -1>& cosines, int first_row, int first_column,
                  const Result<-1>& row_best, const InPlace<int, -1>& row_columns,
                  const Result<-1>& column_best, const InPlace<int, -1>& column_rows) {
    const std::size_t rows = cosines.shape(0), columns = cosines.shape(1);
    require(row_best.shape(0) == rows && row_columns.shape(0) == rows,
            "row_best and row_columns must be (R,), cosines (R, C)");
    require(column_best.shape(0) == columns && column_rows.shape(0) == columns,
            "column_best and column_rows must be (C,), cosines (R, C)");
    const nb::gil_scoped_release unlocked;
    cpu::note_nearest({cosines.data(), rows, columns, first_row, first_column},
                      {row_best.data(), row_columns.data()},
                      {column_best.data(), column_rows.data()});
}

/// The bytes from a value to the next; of a plane one value wide, any.
int checked_step(const Plane& plane) {
    require(plane.stride(0) >= 0 && plane.stride(1) >= 1 && plane.stride(1) <= 4,
            "a plane's values must lie in rows, at most 4 bytes apart");
    return static_cast<int>(plane.stride(1));
}

void planar_to_rgb(const Plane& luma, const Plane& u, const Plane& v,
                   const InPlace<std::uint8_t, -1, -1, 3>& out, double kr, double kb, bool full,
                   bool on_column, bool on_row) {
    const std::size_t height = luma.shape(0), width = luma.shape(1);
    require(height >= 1 && width >= 1 && height < (1 << 16) && width < (1 << 16),
            "luma must be (H, W)");
    for (const Plane& chroma : {u, v})
        require(chroma.shape(0) == (height + 1) / 2 && chroma.shape(1) == (width + 1) / 2,
                "chroma must be (H / 2, W / 2), rounded up");
    require(checked_step(u) == checked_step(v), "chroma must have one step");
    require(out.shape(0) == height && out.shape(1) == width, "out must be (H, W, 3)");
    const cpu::PlanarFrame frame{luma.data(),
                                 u.data(),
                                 v.data(),
                                 luma.stride(0),
                                 u.stride(0),
                                 v.stride(0),
                                 checked_step(luma),
                                 checked_step(u),
                                 static_cast<int>(width),
                                 static_cast<int>(height),
                                 cpu::rule_of(kr, kb, full),
                                 {on_column, on_row}};
    const nb::gil_scoped_release unlocked;
    cpu::planar_to_rgb(frame, {0, 0, frame.width, frame.height}, out.data());
}

}  // namespace

NB_MODULE(_native, module) {
    module.doc() = "The CPU operations of pamtri-edge; reached through pamtri_edge.ops.";
    module.def("threads", &pamtri::threads, "How many threads an operation may use.");
    module.def("set_threads", &pamtri::set_threads, "count"_a,
               "Set how many threads an operation may use; 0 means every core.");
    module.def("use_plain_loops", &pamtri::cpu::use_plain_loops, "plain"_a,
               "Do without what this processor has and others have not: for tests.");
    module.def("decode", &decode, "heatmaps"_a.noconvert(), "out"_a.noconvert(), "crop_units"_a);
    module.def("segments", &segments, "keypoints"_a.noconvert(), "corners"_a.noconvert(),
               "out"_a.noconvert(), "threshold"_a);
    module.def("stack", &stack, "images"_a.noconvert(), "heatmaps"_a.noconvert().none(),
               "segments"_a.noconvert().none(), "keypoints"_a.noconvert().none(),
               "corners"_a.noconvert(), "threshold"_a, "rgb_affine"_a.noconvert(),
               "extra_affine"_a.noconvert(), "out"_a.noconvert());
    module.def("resize", &resize, "crops"_a.noconvert(), "out"_a.noconvert(), "swap_channels"_a);
    module.def("crop", &crop, "frame"_a.noconvert(), "rectangles"_a.noconvert(),
               "out"_a.noconvert(), "swap_channels"_a);
    module.def("sharpness", &sharpness, "crops"_a.noconvert(), "out"_a.noconvert(),
               "swap_channels"_a);
    module.def("planar_to_rgb", &planar_to_rgb, "luma"_a.noconvert(), "u"_a.noconvert(),
               "v"_a.noconvert(), "out"_a.noconvert(), "kr"_a, "kb"_a, "full"_a, "on_column"_a,
               "on_row"_a);
    module.def("note_nearest", &note_nearest, "cosines"_a.noconvert(), "first_row"_a,
               "first_column"_a, "row_best"_a.noconvert(), "row_columns"_a.noconvert(),
               "column_best"_a.noconvert(), "column_rows"_a.noconvert());
}
