// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include <nanobind/stl/vector.h>

#include <cstdint>

#include "bindings.hpp"
#include "frame_clock.hpp"
#include "tracks.hpp"

namespace pamtri::core {

using namespace nb::literals;

namespace {

const char* word_of(Fate fate) {
    switch (fate) {
        case Fate::kDone:
            return "done";
        case Fate::kShort:
            return "short";
        case Fate::kUnseen:
            return "unseen";
        default:
            return "unfinished";
    }
}

nb::tuple fused(const Fusion& fusion) {
    std::vector<float> embedding = fusion.embedding();
    const std::size_t size = embedding.size();
    return nb::make_tuple(array_of(std::move(embedding), size), probabilities_of(fusion.color()),
                          probabilities_of(fusion.type()));
}

}  // namespace

void bind_tracks(nb::module_& m) {
    m.attr("UNTRACKED") = kUntracked;
    nb::class_<FrameClock>(m, "FrameClock")
        .def(nb::init<std::optional<double>, double>(), "rate"_a.none(), "longest_gap_s"_a)
        .def(
            "tick",
            [](FrameClock& self, std::optional<double> stamp, int missed) {
                const FrameClock::Tick tick = self.tick(stamp, missed);
                return nb::make_tuple(tick.time_s, tick.jumped);
            },
            "stamp"_a.none(), "missed"_a = 0);
    nb::class_<TracksSpec>(m, "TracksSpec")
        .def(nb::init<>())
        .def_rw("gate", &TracksSpec::gate)
        .def_rw("trained", &TracksSpec::trained)
        .def_rw("batch", &TracksSpec::batch)
        .def_rw("longest_wait_s", &TracksSpec::longest_wait_s)
        .def_rw("least_frames", &TracksSpec::least_frames)
        .def_rw("expiry_s", &TracksSpec::expiry_s)
        .def_rw("most_tracks", &TracksSpec::most_tracks);
    nb::class_<Choice>(m, "Choice")
        .def_ro("keep", &Choice::keep)
        .def_ro("dropped", &Choice::dropped);
    nb::class_<Answered>(m, "Answered")
        .def_ro("handle", &Answered::handle)
        .def_ro("best", &Answered::best)
        .def_ro("quality", &Answered::quality)
        .def_prop_ro("worth", [](const Answered& self) { return self.judgement.worth; })
        .def_prop_ro("weight", [](const Answered& self) { return self.judgement.weight; })
        .def_prop_ro("failings",
                     [](const Answered& self) { return words_of(self.judgement.failings); });
    nb::class_<Closed>(m, "Closed")
        .def_ro("handle", &Closed::handle)
        .def_ro("source", &Closed::source)
        .def_ro("id", &Closed::id)
        .def_prop_ro("fate", [](const Closed& self) { return word_of(self.fate); })
        .def_ro("first_s", &Closed::first_s)
        .def_ro("last_s", &Closed::last_s)
        .def_ro("seen", &Closed::seen)
        .def_ro("embedded", &Closed::embedded)
        .def_prop_ro("good", [](const Closed& self) { return self.fusion.good(); })
        .def_ro("dropped", &Closed::dropped)
        .def("fused", [](const Closed& self) { return fused(self.fusion); });
    nb::class_<Tracks>(m, "Tracks")
        .def(nb::init<const TracksSpec&>(), "spec"_a)
        .def("see", &Tracks::see, "source"_a, "id"_a, "time_s"_a)
        .def("wants_detail", &Tracks::wants_detail, "handle"_a, "sighting"_a)
        .def("offer", &Tracks::offer, "handle"_a, "sighting"_a, "detail"_a.none())
        .def("due", &Tracks::due, "now_s"_a)
        .def(
            "answer",
            [](Tracks& self, Ticket ticket, std::optional<double> quality,
               const FloatArray& embedding, const std::optional<FloatArray>& color,
               const std::optional<FloatArray>& type) {
                return self.answer(ticket, quality, {embedding.data(), embedding.shape(0)},
                                   values_of(color), values_of(type));
            },
            "ticket"_a, "quality"_a.none(), "embedding"_a, "color_probs"_a.none(),
            "type_probs"_a.none())
        .def("settle", &Tracks::settle)
        .def("end", &Tracks::end, "handle"_a)
        .def("expire", &Tracks::expire, "now_s"_a)
        .def("abandon", &Tracks::abandon)
        .def("take_closed", &Tracks::take_closed)
        .def("find", &Tracks::find, "source"_a, "id"_a)
        .def("open", &Tracks::open)
        .def(
            "known",
            [](const Tracks& self, Handle handle) -> nb::object {
                const Fusion* fusion = self.known(handle);
                return fusion ? nb::object(fused(*fusion)) : nb::none();
            },
            "handle"_a)
        .def_prop_ro("waiting", &Tracks::waiting);
}

}  // namespace pamtri::core
