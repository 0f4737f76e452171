// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// pamtri_edge._sinks: the queue and the policy, driven by Python's clients of brokers. Refusals are
// pamtri_edge.errors.InputError.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "delivery.hpp"
#include "errors.hpp"
#include "policies.hpp"
#include "transports.hpp"

namespace nb = nanobind;

namespace pamtri::sinks {

using namespace nb::literals;
using NoGil = nb::call_guard<nb::gil_scoped_release>;

namespace {

Milliseconds of_seconds(double seconds) {
    return Milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

double seconds_of(Milliseconds time) { return static_cast<double>(time.count()) / 1000; }

nb::bytes bytes_of(const std::string& text) { return nb::bytes(text.data(), text.size()); }

std::string text_of(const nb::bytes& bytes) { return {bytes.c_str(), bytes.size()}; }

Verdict verdict_of(const std::string& word) {
    if (word == "acknowledged") return Verdict::kAcknowledged;
    return word == "rejected" ? Verdict::kRejected : Verdict::kFailed;
}

/// A client of a broker in Python: see pamtri_edge/sinks/transport.py.
class PythonTransport final : public Transport {
  public:
    explicit PythonTransport(nb::object client) : client_(std::move(client)) {}
    ~PythonTransport() override {
        const nb::gil_scoped_acquire held;
        client_.reset();
    }

    void connect(Milliseconds wait) override {
        const nb::gil_scoped_acquire held;
        call([&] { client_.attr("connect")(seconds_of(wait)); });
    }

    void send(const std::vector<Message>& messages) override {
        const nb::gil_scoped_acquire held;
        call([&] {
            nb::list list;
            for (const Message& one : messages) {
                list.append(nb::make_tuple(one.id, one.key, bytes_of(one.payload)));
            }
            client_.attr("send")(list);
        });
    }

    std::vector<Outcome> poll(Milliseconds wait) override {
        const nb::gil_scoped_acquire held;
        std::vector<Outcome> outcomes;
        call([&] {
            const nb::object list = client_.attr("poll")(seconds_of(wait));
            for (const nb::handle one : list) {
                outcomes.push_back({nb::cast<Id>(one[0]), verdict_of(nb::cast<std::string>(one[1])),
                                    nb::cast<std::string>(one[2])});
            }
        });
        return outcomes;
    }

    void close() noexcept override {
        const nb::gil_scoped_acquire held;
        try {
            client_.attr("close")();
        } catch (...) {  // it is let go of all the same
            PyErr_Clear();
        }
    }

  private:
    template <typename Action>
    void call(const Action& action) {
        try {
            action();
        } catch (nb::python_error& error) {
            const nb::object value = nb::borrow(error.value());
            const std::string text = nb::cast<std::string>(nb::str(value));
            const bool refused = nb::cast<bool>(nb::getattr(value, "refused", nb::bool_(false)));
            throw TransportError(
                text.empty() ? nb::cast<std::string>(nb::str(error.type().attr("__name__"))) : text,
                refused);
        }
    }

    nb::object client_;
};

/// Time as a function of Python, in seconds.
class PythonClock final : public Clock {
  public:
    explicit PythonClock(nb::object now) : now_(std::move(now)) {}
    ~PythonClock() override {
        const nb::gil_scoped_acquire held;
        now_.reset();
    }
    Milliseconds now() const override {
        const nb::gil_scoped_acquire held;
        return of_seconds(nb::cast<double>(now_()));
    }

  private:
    nb::object now_;
};

Format format_of(const std::string& word) {
    if (word == "json") return Format::kJson;
    if (word == "protobuf") return Format::kProtobuf;
    throw core::InputError("the format of a sink is '" + word + "'; expected json or protobuf.");
}

std::unique_ptr<Delivery> make_delivery(const Settings& settings, const nb::object& transport,
                                        const std::string& spool, const std::string& format,
                                        std::uint64_t seed, const nb::object& clock) {
    std::shared_ptr<Transport> carrier;
    if (transport.is_none()) {
        carrier = make_file_transport(settings, format_of(format));
    } else {
        carrier = std::make_shared<PythonTransport>(transport);
    }
    std::shared_ptr<const Clock> hands = std::make_shared<Clock>();
    if (!clock.is_none()) hands = std::make_shared<PythonClock>(clock);
    return std::make_unique<Delivery>(
        spool_spec(settings, spool), std::move(carrier), policy_of(settings, seed),
        settings.address.shown, [settings](const std::string& text) { return settings.hide(text); },
        std::move(hands));
}

void bind_settings(nb::module_& m) {
    nb::class_<Settings>(m, "Settings")
        .def_prop_ro("kind",
                     [](const Settings& self) {
                         static constexpr const char* kWords[] = {"file", "mqtt", "redis", "kafka"};
                         return kWords[static_cast<int>(self.address.kind)];
                     })
        .def_prop_ro("tls", [](const Settings& self) { return self.address.tls; })
        .def_prop_ro("user", [](const Settings& self) { return self.address.user; })
        .def_prop_ro("password", [](const Settings& self) { return self.address.password; })
        .def_prop_ro("target", [](const Settings& self) { return self.address.target; })
        .def_prop_ro("shown", [](const Settings& self) { return self.address.shown; })
        .def_prop_ro("places",
                     [](const Settings& self) {
                         std::vector<std::pair<std::string, int>> places;
                         for (const Place& one : self.address.places) {
                             places.emplace_back(one.host, one.port);
                         }
                         return places;
                     })
        .def_ro("ca", &Settings::ca)
        .def_ro("certificate", &Settings::certificate)
        .def_ro("key", &Settings::key)
        .def_ro("client_id", &Settings::client_id)
        .def_ro("maxlen", &Settings::maxlen)
        .def_ro("database", &Settings::database)
        .def_ro("compression", &Settings::compression)
        .def_ro("sasl", &Settings::sasl)
        .def_ro("window", &Settings::window)
        .def_prop_ro("timeout_s", [](const Settings& self) { return seconds_of(self.timeout); })
        .def_prop_ro("flush_s", [](const Settings& self) { return seconds_of(self.flush); })
        .def("hide", &Settings::hide, "text"_a);
    m.def("parse_settings", &parse_settings, "uri"_a);
}

void bind_spool(nb::module_& m) {
    nb::class_<Spool>(m, "Spool")
        .def(
            "__init__",
            [](Spool* self, const std::string& path, std::uint64_t most_bytes, bool drop_oldest,
               std::uint64_t fallback_bytes) {
                new (self) Spool(SpoolSpec{path, most_bytes, drop_oldest, fallback_bytes});
            },
            "path"_a, "most_bytes"_a, "drop_oldest"_a = true, "fallback_bytes"_a = 1 << 20)
        .def(
            "append",
            [](Spool& self, const std::string& key, const nb::bytes& payload) {
                self.append(key, text_of(payload));
            },
            "key"_a, "payload"_a)
        .def("waiting",
             [](const Spool& self) {
                 return std::vector<Id>(self.waiting().begin(), self.waiting().end());
             })
        .def(
            "take",
            [](Spool& self, Id id) -> nb::object {
                const std::optional<Message> message = self.take(id);
                if (!message) return nb::none();
                return nb::make_tuple(message->key, bytes_of(message->payload));
            },
            "event"_a)
        .def("put_back", &Spool::put_back, "event"_a)
        .def("done", &Spool::done, "event"_a)
        .def_prop_ro("size", &Spool::size)
        .def_prop_ro("on_disk", &Spool::on_disk)
        .def_prop_ro("in_memory", &Spool::in_memory)
        .def_prop_ro("dropped", &Spool::dropped)
        .def_prop_ro("earlier", &Spool::earlier)
        .def_prop_ro("problem", &Spool::problem);
}

void bind_delivery(nb::module_& m) {
    nb::class_<Report>(m, "Report")
        .def_ro("posted", &Report::posted)
        .def_ro("earlier", &Report::earlier)
        .def_ro("sent", &Report::sent)
        .def_ro("repeated", &Report::repeated)
        .def_ro("acknowledged", &Report::acknowledged)
        .def_ro("spooled", &Report::spooled)
        .def_ro("held", &Report::held)
        .def_ro("dropped", &Report::dropped)
        .def_ro("connected", &Report::connected)
        .def_ro("problem", &Report::problem);
    nb::class_<Delivery>(m, "Delivery")
        .def(nb::new_(&make_delivery), "settings"_a, "transport"_a.none(), "spool"_a = "",
             "payload_format"_a = "json", "seed"_a = 0, "clock"_a.none() = nb::none())
        .def(
            "post",
            [](Delivery& self, const std::string& key, const nb::bytes& payload) {
                const std::string text = text_of(payload);
                const nb::gil_scoped_release released;
                self.post(key, text);
            },
            "key"_a, "payload"_a)
        .def(
            "step", [](Delivery& self, double wait_s) { self.step(of_seconds(wait_s)); },
            "wait_s"_a, NoGil())
        .def(
            "flush",
            [](Delivery& self, double deadline_s) {
                return self.flush(of_seconds(deadline_s), [] {
                    const nb::gil_scoped_acquire held;
                    if (PyErr_CheckSignals() != 0) throw nb::python_error();
                });
            },
            "deadline_s"_a, NoGil())
        .def("close", &Delivery::close, NoGil())
        .def("wake", &Delivery::wake, NoGil())
        .def("report", &Delivery::report, NoGil())
        .def("take_problems", &Delivery::take_problems, NoGil());
    m.def("event_key", &event_key, "camera"_a, "track"_a);
}

}  // namespace

}  // namespace pamtri::sinks

NB_MODULE(_sinks, m) {
    using namespace pamtri::sinks;
    nb::object error = nb::module_::import_("pamtri_edge.errors").attr("InputError");
    nb::register_exception_translator(
        [](const std::exception_ptr& thrown, void* type) {
            try {
                std::rethrow_exception(thrown);
            } catch (const pamtri::core::InputError& refused) {
                PyErr_SetString(static_cast<PyObject*>(type), refused.what());
            }
        },
        error.release().ptr());
    bind_settings(m);
    bind_spool(m);
    bind_delivery(m);
}
