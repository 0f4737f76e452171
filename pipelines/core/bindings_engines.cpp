// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include <nanobind/stl/map.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <tuple>
#include <utility>

#include "bindings.hpp"
#include "buckets.hpp"
#include "build_phases.hpp"
#include "engine_cache.hpp"
#include "fingerprint.hpp"
#include "processors.hpp"
#include "user_cache.hpp"

namespace pamtri::core {

using namespace nb::literals;

namespace {

/// Paths are bytes here: a file's name need not be UTF-8.
nb::bytes bytes_of(const std::string& text) { return nb::bytes(text.data(), text.size()); }

std::string_view view_of(const nb::handle& bytes) {
    const nb::bytes of = nb::cast<nb::bytes>(bytes);
    return {static_cast<const char*>(of.data()), of.size()};
}

/// cached_engine for Python.
///
/// build: given the timing cache, returns (plan, timing, via, arithmetic, layers, build_s); or None
/// waits: called while another process builds
/// warns: called with a text, as bytes
///
/// Returns ("found" or "built", path, arithmetic), or ("no engine" or "no place", why, "").
std::tuple<std::string, nb::bytes, std::string> engine_for_python(
    const Fingerprint& wanted, const std::vector<nb::bytes>& places, const std::string& model,
    const std::optional<nb::callable>& build, const nb::callable& waits,
    const nb::callable& warns) {
    std::vector<std::string> folders;
    for (const nb::bytes& place : places) folders.emplace_back(view_of(place));
    nb::object kept;  // what the views of the built engine point to
    EngineBuild how;
    if (build)
        how.build = [&](const std::string& timing) {
            const nb::gil_scoped_acquire held;
            kept = (*build)(bytes_of(timing));
            BuiltEngine built;
            built.plan = view_of(kept[0]);
            built.timing = view_of(kept[1]);
            built.via = nb::cast<std::string>(kept[2]);
            built.arithmetic = nb::cast<std::string>(kept[3]);
            built.layers = nb::cast<std::int64_t>(kept[4]);
            built.build_s = nb::cast<double>(kept[5]);
            return built;
        };
    how.waits = [&waits] {
        const nb::gil_scoped_acquire held;
        if (PyErr_CheckSignals() != 0) throw nb::python_error();  // Ctrl-C
        waits();
    };
    how.warns = [&warns](const std::string& text) {
        const nb::gil_scoped_acquire held;
        warns(bytes_of(text));
    };
    CachedEngine found;
    std::string refusal, why;
    try {
        const nb::gil_scoped_release others;
        found = cached_engine(wanted, folders, model, how);
    } catch (const NoEngine& none) {
        refusal = "no engine";
        why = none.what();
    } catch (const NoPlace& none) {
        refusal = "no place";
        why = none.what();
    }
    if (!refusal.empty()) return {refusal, bytes_of(why), ""};
    return {found.built ? "built" : "found", bytes_of(found.file.path), found.file.arithmetic};
}

void bind_buckets(nb::module_& m) {
    m.def("engine_profiles", [] {
        std::vector<std::tuple<int, int, int>> profiles;
        for (const BatchProfile& one : engine_profiles())
            profiles.emplace_back(one.least, one.best, one.most);
        return profiles;
    });
    m.def(
        "profiles_text",
        [](const std::vector<std::tuple<int, int, int>>& profiles) {
            std::vector<BatchProfile> of;
            for (const auto& [least, best, most] : profiles) of.push_back({least, best, most});
            return text_of(of);
        },
        "profiles"_a);
    m.def(
        "buckets_of",
        [](const std::vector<std::pair<int, int>>& profiles) {
            std::vector<BatchRange> ranges;
            for (const auto& [least, most] : profiles) ranges.push_back({least, most});
            std::vector<std::pair<int, int>> buckets;
            for (const Bucket& bucket : buckets_of(ranges))
                buckets.emplace_back(bucket.batch, bucket.profile);
            return buckets;
        },
        "profiles"_a);
    m.def(
        "chunks",
        [](const std::vector<int>& sizes, int count) {
            std::vector<std::tuple<int, int, int>> cut;
            for (const Chunk& chunk : chunks(sizes, count))
                cut.emplace_back(chunk.start, chunk.count, chunk.size);
            return cut;
        },
        "sizes"_a, "count"_a);
}

}  // namespace

void bind_engines(nb::module_& m) {
    m.def("processor_grant", &processor_grant, "root"_a);
    bind_buckets(m);
    nb::class_<BuildPhases>(m, "BuildPhases")
        .def(nb::init<>())
        .def("start", &BuildPhases::start, "name"_a, "steps"_a)
        .def("step", &BuildPhases::step, "name"_a, "step"_a)
        .def("finish", &BuildPhases::finish, "name"_a)
        .def("share", &BuildPhases::share);
    m.def("cached_engine", &engine_for_python, "wanted"_a, "folders"_a, "model"_a, "build"_a.none(),
          "waits"_a, "warns"_a);
    m.def("fingerprint_digest", &digest_of, "facts"_a);
    m.def("fingerprint_differences", &differences, "facts"_a, "record"_a);
    m.def("jetson_release", &jetson_release, "text"_a);
    m.def("cache_folder", &cache_folder, "own"_a, "base"_a, "home"_a);
}

}  // namespace pamtri::core
