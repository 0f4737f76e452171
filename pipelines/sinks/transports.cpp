// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "transports.hpp"

#include <string>

#include "errors.hpp"

namespace pamtri::sinks {

namespace {

[[noreturn, maybe_unused]] void refuse(const Settings& settings, const std::string& library,
                                       const std::string& package) {
    throw core::InputError(
        "the sink " + settings.address.shown + " needs " + library +
        ", which was not there when this was built; install it (Debian and Ubuntu: apt "
        "install " +
        package + ") and build again.");
}

}  // namespace

std::shared_ptr<Transport> make_transport(const Settings& settings, Format format) {
    switch (settings.address.kind) {
        case Kind::kMqtt:
#ifdef PAMTRI_MOSQUITTO
            return make_mqtt_transport(settings);
#else
            refuse(settings, "libmosquitto", "libmosquitto-dev");
#endif
        case Kind::kRedis:
#ifdef PAMTRI_HIREDIS
            return make_redis_transport(settings);
#else
            refuse(settings, "hiredis", "libhiredis-dev");
#endif
        case Kind::kKafka:
#ifdef PAMTRI_RDKAFKA
            return make_kafka_transport(settings);
#else
            refuse(settings, "librdkafka", "librdkafka-dev");
#endif
        default:
            return make_file_transport(settings, format);
    }
}

}  // namespace pamtri::sinks
