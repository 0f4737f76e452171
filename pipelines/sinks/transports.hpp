// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "settings.hpp"
#include "sink.hpp"
#include "transport.hpp"

namespace pamtri::sinks {

/// A file of events; see file_transport.cpp. Throws InputError: it cannot be one.
std::shared_ptr<Transport> make_file_transport(const Settings& settings, Format format);

/// The transport that a URI asks for. Throws InputError where its library was not there when this
/// was built.
std::shared_ptr<Transport> make_transport(const Settings& settings, Format format);

#ifdef PAMTRI_MOSQUITTO
std::shared_ptr<Transport> make_mqtt_transport(const Settings& settings);
#endif
#ifdef PAMTRI_HIREDIS
std::shared_ptr<Transport> make_redis_transport(const Settings& settings);
#endif
#ifdef PAMTRI_RDKAFKA
std::shared_ptr<Transport> make_kafka_transport(const Settings& settings);
#endif

}  // namespace pamtri::sinks
