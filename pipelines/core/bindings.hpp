// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What the parts of pamtri_edge._core share.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fusion.hpp"
#include "view.hpp"

namespace pamtri::core {

namespace nb = nanobind;

using FloatArray = nb::ndarray<const float, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

/// A NumPy array that owns its values.
template <typename T, typename... Sides>
auto array_of(std::vector<T> values, Sides... sides) {
    auto* kept = new std::vector<T>(std::move(values));
    nb::capsule owner(kept, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
    return nb::ndarray<nb::numpy, T>(kept->data(), {static_cast<std::size_t>(sides)...}, owner);
}

inline nb::tuple words_of(Failings failings) {
    nb::list words;
    for (const std::string& word : failing_words(failings)) words.append(word);
    return nb::tuple(words);
}

inline Fusion::Values values_of(const std::optional<FloatArray>& array) {
    if (!array) return {};
    return {array->data(), array->shape(0)};
}

inline nb::object probabilities_of(std::vector<float> values) {
    if (values.empty()) return nb::none();
    const std::size_t size = values.size();
    return nb::cast(array_of(std::move(values), size));
}

/// Add the track cache to the module (bindings_tracks.cpp).
void bind_tracks(nb::module_& m);

/// Add the writers of events to the module (bindings_events.cpp).
void bind_events(nb::module_& m);

/// Add what engines are chosen and run by to the module (bindings_engines.cpp).
void bind_engines(nb::module_& m);

/// Add what is around a detector to the module (bindings_detections.cpp).
void bind_detections(nb::module_& m);

/// Add how detectors' networks are read to the module (bindings_detectors.cpp).
void bind_detectors(nb::module_& m);

/// Add what is drawn of vehicles to the module (bindings_overlay.cpp).
void bind_overlay(nb::module_& m);

}  // namespace pamtri::core
