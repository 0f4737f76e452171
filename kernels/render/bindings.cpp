// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// pamtri_edge._render: the renderer on NumPy arrays, without the GIL. Nothing is converted: every
// array is the caller's, in C order.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>

#include <cmath>
#include <optional>
#include <stdexcept>

#include "render.hpp"

namespace nb = nanobind;
using namespace nb::literals;
using namespace pamtri::render;

namespace {

template <typename T, long... Shape>
using Array = nb::ndarray<nb::numpy, T, nb::shape<Shape...>, nb::c_contig, nb::device::cpu>;

constexpr std::size_t kLargestSide = 16384;

void require(bool holds, const char* message) {
    if (!holds) throw std::invalid_argument(message);
}

int checked_side(std::size_t side, const char* message) {
    require(side >= 2 && side <= kLargestSide, message);
    return static_cast<int>(side);
}

/// The arrays of a mesh, checked once: indices in range, counts that agree.
class MeshArrays {
  public:
    MeshArrays(Array<const float, -1, 3> vertices, Array<const float, -1, 3> normals,
               Array<const float, -1, 2> uv, Array<const int, -1, 3> triangles,
               Array<const int, -1> texture, Array<const int, -1> material,
               Array<const float, -1, 3> color, Array<const std::uint8_t, -1, -1, -1> material_maps,
               Array<const std::uint8_t, -1, -1, -1, 3> color_maps)
        : vertices_(vertices),
          normals_(normals),
          uv_(uv),
          triangles_(triangles),
          texture_(texture),
          material_(material),
          color_(color),
          material_maps_(material_maps),
          color_maps_(color_maps) {
        const std::size_t vertex_count = vertices.shape(0), triangle_count = triangles.shape(0);
        require(normals.shape(0) == vertex_count && uv.shape(0) == vertex_count,
                "normals and uv must be as many as vertices");
        require(texture.shape(0) == triangle_count && material.shape(0) == triangle_count &&
                    color.shape(0) == triangle_count,
                "texture, material and color must be as many as triangles");
        const std::size_t maps = material_maps.shape(0);
        require(color_maps.shape(0) == maps && color_maps.shape(1) == material_maps.shape(1) &&
                    color_maps.shape(2) == material_maps.shape(2),
                "material_maps and color_maps must be of one size");
        for (std::size_t i = 0; i < 3 * triangle_count; ++i) {
            const int corner = triangles.data()[i];
            require(corner >= 0 && static_cast<std::size_t>(corner) < vertex_count,
                    "triangles must be row numbers of vertices");
        }
        for (std::size_t i = 0; i < 3 * vertex_count; ++i)
            require(std::isfinite(vertices.data()[i]) && std::isfinite(normals.data()[i]),
                    "vertices and normals must be finite");
        for (std::size_t i = 0; i < 2 * vertex_count; ++i)
            require(std::isfinite(uv.data()[i]), "uv must be finite");
        require(material_maps.shape(1) >= 1 && material_maps.shape(2) >= 1, "maps must have cells");
        for (std::size_t i = 0; i < triangle_count; ++i)
            require(texture.data()[i] < static_cast<int>(maps),
                    "texture must be a number of a map, or -1");
    }

    Mesh view() const {
        return {vertices_.data(),
                normals_.data(),
                uv_.data(),
                vertices_.shape(0),
                triangles_.data(),
                texture_.data(),
                material_.data(),
                color_.data(),
                triangles_.shape(0),
                material_maps_.data(),
                color_maps_.data(),
                static_cast<int>(material_maps_.shape(2)),
                static_cast<int>(material_maps_.shape(1))};
    }

  private:
    Array<const float, -1, 3> vertices_, normals_;
    Array<const float, -1, 2> uv_;
    Array<const int, -1, 3> triangles_;
    Array<const int, -1> texture_, material_;
    Array<const float, -1, 3> color_;
    Array<const std::uint8_t, -1, -1, -1> material_maps_;
    Array<const std::uint8_t, -1, -1, -1, 3> color_maps_;
};

/// The arrays of the samples of a picture.
class SampleArrays {
  public:
    SampleArrays(Array<float, -1, -1> inverse_depth, Array<int, -1, -1> triangle,
                 Array<float, -1, -1, 2> barycentric, Array<std::uint8_t, -1, -1> material,
                 Array<std::uint8_t, -1, -1> instance)
        : inverse_depth_(inverse_depth),
          triangle_(triangle),
          barycentric_(barycentric),
          material_(material),
          instance_(instance) {
        const auto same = [&](const auto& array) {
            return array.shape(0) == inverse_depth.shape(0) &&
                   array.shape(1) == inverse_depth.shape(1);
        };
        require(same(triangle) && same(barycentric) && same(material) && same(instance),
                "the arrays of the samples must be of one size");
        checked_side(inverse_depth.shape(0), "a picture must be 2 to 16384 samples high");
        checked_side(inverse_depth.shape(1), "a picture must be 2 to 16384 samples wide");
    }

    Samples view() const {
        return {static_cast<int>(inverse_depth_.shape(1)),
                static_cast<int>(inverse_depth_.shape(0)),
                inverse_depth_.data(),
                triangle_.data(),
                barycentric_.data(),
                material_.data(),
                instance_.data()};
    }

  private:
    Array<float, -1, -1> inverse_depth_;
    Array<int, -1, -1> triangle_;
    Array<float, -1, -1, 2> barycentric_;
    Array<std::uint8_t, -1, -1> material_, instance_;
};

/// What is seen in each direction, and what stands in the sun's way.
class Around {
  public:
    Around(Array<const float, -1, -1, 3> mirror, Array<const float, -1, -1, 3> glossy,
           Array<const float, -1, -1, 3> diffuse, Array<const float, -1, -1> depths,
           std::array<float, 9> sun_rotation, Triple sun_center, float sun_half,
           Array<const float, -1, -1> cover, float cover_half)
        : mirror_(mirror),
          glossy_(glossy),
          diffuse_(diffuse),
          depths_(depths),
          cover_(cover),
          sun_rotation_(sun_rotation),
          sun_center_(sun_center),
          sun_half_(sun_half),
          cover_half_(cover_half) {
        for (const auto* map : {&mirror_, &glossy_, &diffuse_})
            require(map->shape(0) == map->shape(1) && map->shape(0) >= 2,
                    "maps of directions must be square");
        for (const auto* map : {&depths_, &cover_})
            require(map->shape(0) == map->shape(1) && map->shape(0) >= 2,
                    "maps of shadows must be square");
        require(sun_half > 0.0f && cover_half > 0.0f, "maps of shadows must have an extent");
    }

    Surroundings surroundings() const {
        return {directions(mirror_), directions(glossy_), directions(diffuse_)};
    }

    Shadows shadows() const {
        return {depths_.data(),
                static_cast<int>(depths_.shape(0)),
                sun_rotation_,
                vec(sun_center_),
                sun_half_,
                cover_.data(),
                static_cast<int>(cover_.shape(0)),
                cover_half_};
    }

  private:
    static Directions directions(const Array<const float, -1, -1, 3>& map) {
        return {map.data(), static_cast<int>(map.shape(0))};
    }

    Array<const float, -1, -1, 3> mirror_, glossy_, diffuse_;
    Array<const float, -1, -1> depths_, cover_;
    std::array<float, 9> sun_rotation_;
    Triple sun_center_;
    float sun_half_, cover_half_;
};

void draw(const MeshArrays& mesh, const Array<const double, -1, 3>& screen, int instance,
          const SampleArrays& samples) {
    const Mesh view = mesh.view();
    require(screen.shape(0) == view.vertex_count, "screen must have a row for each vertex");
    require(instance >= 0 && instance < kNothing, "instance must be 0..254");
    const nb::gil_scoped_release unlocked;
    raster(view, screen.data(), static_cast<std::uint8_t>(instance), samples.view());
}

void draw_sun_map(const Array<const float, -1, 3>& vertices,
                  const Array<const int, -1, 3>& triangles, const Array<float, -1, -1>& depths) {
    require(depths.shape(0) == depths.shape(1), "depths must be square");
    const int side = checked_side(depths.shape(0), "depths must be 2 to 16384 cells wide");
    for (std::size_t i = 0; i < 3 * triangles.shape(0); ++i) {
        const int corner = triangles.data()[i];
        require(corner >= 0 && static_cast<std::size_t>(corner) < vertices.shape(0),
                "triangles must be row numbers of vertices");
    }
    const nb::gil_scoped_release unlocked;
    sun_map(vertices.data(), triangles.data(), triangles.shape(0), side, depths.data());
}

void shade_instance(const MeshArrays& mesh, const SampleArrays& samples, int instance,
                    const Camera& camera, const Light& light, const Surface& surface,
                    const Around& around, const Array<float, -1, -1, 4>& out) {
    const Samples view = samples.view();
    require(out.shape(0) == static_cast<std::size_t>(view.height) &&
                out.shape(1) == static_cast<std::size_t>(view.width),
            "out must be (height, width, 4)");
    require(instance >= 0 && instance < kNothing, "instance must be 0..254");
    const nb::gil_scoped_release unlocked;
    shade(mesh.view(), view, static_cast<std::uint8_t>(instance), camera, light, surface,
          around.surroundings(), around.shadows(), out.data());
}

void draw_background(const Camera& camera, const Light& light, const Road& road,
                     const Around& around, const Array<const float, -1, -1>& noise,
                     const Array<const float, -1, 12>& blocks,
                     const Array<const float, -1, 6>& footprints,
                     const std::optional<Array<const std::uint8_t, -1, -1>>& covered,
                     const Array<float, -1, -1, 3>& color, const Array<float, -1, -1>& shadow) {
    const std::size_t height = color.shape(0), width = color.shape(1), side = noise.shape(0);
    checked_side(height, "a picture must be 2 to 16384 samples high");
    checked_side(width, "a picture must be 2 to 16384 samples wide");
    require(shadow.shape(0) == height && shadow.shape(1) == width,
            "shadow must be (height, width)");
    require(!covered || (covered->shape(0) == height && covered->shape(1) == width),
            "covered must be (height, width)");
    require(noise.shape(1) == side && side >= 2 && (side & (side - 1)) == 0,
            "noise must be square, its side a power of two");
    static_assert(sizeof(Block) == 12 * sizeof(float) && sizeof(Footprint) == 6 * sizeof(float));
    const Backdrop scene{camera,
                         light,
                         road,
                         around.surroundings(),
                         around.shadows(),
                         {noise.data(), static_cast<int>(side)},
                         reinterpret_cast<const Block*>(blocks.data()),
                         blocks.shape(0),
                         reinterpret_cast<const Footprint*>(footprints.data()),
                         footprints.shape(0)};
    const std::uint8_t* mask = covered ? covered->data() : nullptr;
    const nb::gil_scoped_release unlocked;
    background(scene, static_cast<int>(width), static_cast<int>(height), mask, color.data(),
               shadow.data());
}

void bind_scene(nb::module_& module) {
    nb::class_<Camera>(module, "Camera", "A pinhole camera in samples.")
        .def(nb::init<>())
        .def_rw("eye", &Camera::eye)
        .def_rw("rotation", &Camera::rotation)
        .def_rw("intrinsics", &Camera::intrinsics);
    nb::class_<Light>(module, "Light", "Sun, sky, ground and haze, in linear light.")
        .def(nb::init<>())
        .def_rw("direction", &Light::direction)
        .def_rw("sun", &Light::sun)
        .def_rw("sky", &Light::sky)
        .def_rw("haze_color", &Light::haze_color)
        .def_rw("haze", &Light::haze);
    nb::class_<Surface>(module, "Surface", "What a vehicle is painted with.")
        .def(nb::init<>())
        .def_rw("paint", &Surface::paint)
        .def_rw("second_paint", &Surface::second_paint)
        .def_rw("interior", &Surface::interior)
        .def_rw("metal", &Surface::metal)
        .def_rw("gloss", &Surface::gloss)
        .def_rw("dirt", &Surface::dirt)
        .def_rw("front", &Surface::front)
        .def_rw("headlamps", &Surface::headlamps)
        .def_rw("taillamps", &Surface::taillamps)
        .def_rw("indicators", &Surface::indicators);
}

void bind_road(nb::module_& module) {
    nb::class_<Road>(module, "Road", "A road and what lies beside it.")
        .def(nb::init<>())
        .def_rw("heading", &Road::heading)
        .def_rw("offset", &Road::offset)
        .def_rw("half_width", &Road::half_width)
        .def_rw("lane_width", &Road::lane_width)
        .def_rw("lane_phase", &Road::lane_phase)
        .def_rw("dash_period", &Road::dash_period)
        .def_rw("dash_share", &Road::dash_share)
        .def_rw("mark_strength", &Road::mark_strength)
        .def_rw("edge_strength", &Road::edge_strength)
        .def_rw("center_strength", &Road::center_strength)
        .def_rw("hatch_strength", &Road::hatch_strength)
        .def_rw("crossing", &Road::crossing)
        .def_rw("stain", &Road::stain)
        .def_rw("patches", &Road::patches)
        .def_rw("grain", &Road::grain)
        .def_rw("kerb", &Road::kerb)
        .def_rw("pavement", &Road::pavement)
        .def_rw("slab", &Road::slab)
        .def_rw("wet", &Road::wet)
        .def_rw("asphalt", &Road::asphalt)
        .def_rw("mark_color", &Road::mark_color)
        .def_rw("center_color", &Road::center_color)
        .def_rw("kerb_color", &Road::kerb_color)
        .def_rw("pavement_color", &Road::pavement_color)
        .def_rw("verge_color", &Road::verge_color)
        .def_rw("verge_grain", &Road::verge_grain);
}

void bind_arrays(nb::module_& module) {
    nb::class_<MeshArrays>(module, "Mesh", "The arrays of a mesh, checked.")
        .def(nb::init<Array<const float, -1, 3>, Array<const float, -1, 3>,
                      Array<const float, -1, 2>, Array<const int, -1, 3>, Array<const int, -1>,
                      Array<const int, -1>, Array<const float, -1, 3>,
                      Array<const std::uint8_t, -1, -1, -1>,
                      Array<const std::uint8_t, -1, -1, -1, 3>>(),
             "vertices"_a.noconvert(), "normals"_a.noconvert(), "uv"_a.noconvert(),
             "triangles"_a.noconvert(), "texture"_a.noconvert(), "material"_a.noconvert(),
             "color"_a.noconvert(), "material_maps"_a.noconvert(), "color_maps"_a.noconvert());
    nb::class_<SampleArrays>(module, "Samples", "The arrays of the samples of a picture.")
        .def(nb::init<Array<float, -1, -1>, Array<int, -1, -1>, Array<float, -1, -1, 2>,
                      Array<std::uint8_t, -1, -1>, Array<std::uint8_t, -1, -1>>(),
             "inverse_depth"_a.noconvert(), "triangle"_a.noconvert(), "barycentric"_a.noconvert(),
             "material"_a.noconvert(), "instance"_a.noconvert());
    nb::class_<Around>(module, "Around",
                       "What is seen in each direction, and what stands before the sun.")
        .def(nb::init<Array<const float, -1, -1, 3>, Array<const float, -1, -1, 3>,
                      Array<const float, -1, -1, 3>, Array<const float, -1, -1>,
                      std::array<float, 9>, Triple, float, Array<const float, -1, -1>, float>(),
             "mirror"_a.noconvert(), "glossy"_a.noconvert(), "diffuse"_a.noconvert(),
             "depths"_a.noconvert(), "sun_rotation"_a, "sun_center"_a, "sun_half"_a,
             "cover"_a.noconvert(), "cover_half"_a);
}

}  // namespace

NB_MODULE(_render, module) {
    module.doc() = "The renderer of synthetic vehicles; reached through pamtri_edge.synth.raster.";
    bind_scene(module);
    bind_road(module);
    bind_arrays(module);
    module.def("draw", &draw, "mesh"_a, "screen"_a.noconvert(), "instance"_a, "samples"_a);
    module.def("draw_sun_map", &draw_sun_map, "vertices"_a.noconvert(), "triangles"_a.noconvert(),
               "depths"_a.noconvert());
    module.def("shade", &shade_instance, "mesh"_a, "samples"_a, "instance"_a, "camera"_a, "light"_a,
               "surface"_a, "around"_a, "out"_a.noconvert());
    module.def("background", &draw_background, "camera"_a, "light"_a, "road"_a, "around"_a,
               "noise"_a.noconvert(), "blocks"_a.noconvert(), "footprints"_a.noconvert(),
               "covered"_a.noconvert().none(), "color"_a.noconvert(), "shadow"_a.noconvert());
}
