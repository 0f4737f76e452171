// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// MQTT, by libmosquitto: protocol 5, QoS 1, a message an event.
#include <mosquitto.h>
#include <mqtt_protocol.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "clock.hpp"
#include "errors.hpp"
#include "files.hpp"
#include "transports.hpp"

namespace pamtri::sinks {

namespace {

constexpr int kKeepAliveS = 30;
constexpr std::size_t kLeastOverhead =
    32;  // bytes of a packet beside topic and payload, with some to spare

constexpr const char* kSystemAuthorities = "/etc/ssl/certs";

bool is_refusal(int reason) {
    return reason == MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION || reason == MQTT_RC_CLIENTID_NOT_VALID ||
           reason == MQTT_RC_BAD_USERNAME_OR_PASSWORD || reason == MQTT_RC_NOT_AUTHORIZED ||
           reason == MQTT_RC_BANNED || reason == MQTT_RC_BAD_AUTHENTICATION_METHOD;
}

bool is_rejection(int reason) {
    return reason == MQTT_RC_TOPIC_NAME_INVALID || reason == MQTT_RC_PACKET_TOO_LARGE ||
           reason == MQTT_RC_PAYLOAD_FORMAT_INVALID;
}

std::string word_of_code(int code) {
    return code == MOSQ_ERR_ERRNO ? word_of(errno) : mosquitto_strerror(code);
}

class MqttTransport final : public Transport {
  public:
    explicit MqttTransport(const Settings& settings) : settings_(settings) {
        static std::once_flag once;
        std::call_once(once, [] { mosquitto_lib_init(); });
        try {
            make();  // a certificate that is none is told at once
        } catch (const TransportError& error) {
            close();
            throw core::InputError("the sink " + settings.address.shown +
                                   " cannot be used: " + settings.hide(error.what()) + ".");
        }
        close();
    }

    ~MqttTransport() override { close(); }

    void connect(Milliseconds wait) override {
        close();
        make();
        const Place& place = settings_.address.places.front();
        // The other form waits as long as the system does for a host that does not answer.
        check(mosquitto_connect_async(client_, place.host.c_str(), place.port, kKeepAliveS));
        const Clock clock;
        const Milliseconds end = clock.now() + wait;
        while (answer_ < 0) {
            if (clock.now() > end) throw TransportError("no answer");
            const int code = mosquitto_loop(client_, 50, 1);
            if (code != MOSQ_ERR_SUCCESS && answer_ <= 0) check(code);
        }
        if (answer_ > 0)
            throw TransportError(mosquitto_reason_string(answer_), is_refusal(answer_));
    }

    void send(const std::vector<Message>& messages) override {
        waiting_.insert(waiting_.end(), messages.begin(), messages.end());
        publish();
    }

    std::vector<Outcome> poll(Milliseconds wait) override {
        if (outcomes_.empty()) check(mosquitto_loop(client_, static_cast<int>(wait.count()), 1));
        publish();
        return std::exchange(outcomes_, {});
    }

    void close() noexcept override {
        if (client_ != nullptr) {
            mosquitto_disconnect(client_);
            mosquitto_destroy(client_);
        }
        client_ = nullptr;
        waiting_.clear();
        numbers_.clear();
        outcomes_.clear();
    }

  private:
    void make() {
        const Address& address = settings_.address;
        answer_ = -1;
        gone_ = 0;
        most_out_ = 65'535;
        most_bytes_ = 1u << 28;
        client_ = mosquitto_new(settings_.client_id.empty() ? nullptr : settings_.client_id.c_str(),
                                true, this);
        if (client_ == nullptr) throw TransportError(word_of(errno));
        mosquitto_int_option(client_, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
        if (!address.user.empty() || !address.password.empty()) {
            check(
                mosquitto_username_pw_set(client_, address.user.c_str(), address.password.c_str()));
        }
        if (address.tls) make_tls();
        mosquitto_connect_v5_callback_set(
            client_, [](mosquitto*, void* self, int reason, int, const mosquitto_property* facts) {
                static_cast<MqttTransport*>(self)->on_connect(reason, facts);
            });
        mosquitto_publish_v5_callback_set(
            client_, [](mosquitto*, void* self, int packet, int reason, const mosquitto_property*) {
                static_cast<MqttTransport*>(self)->on_publish(packet, reason);
            });
        mosquitto_disconnect_v5_callback_set(
            client_, [](mosquitto*, void* self, int reason, const mosquitto_property*) {
                static_cast<MqttTransport*>(self)->gone_ = reason;
            });
    }

    void make_tls() {
        const auto text = [](const std::string& value) {
            return value.empty() ? nullptr : value.c_str();
        };
        if (settings_.ca.empty() && settings_.certificate.empty()) {
            check(mosquitto_int_option(client_, MOSQ_OPT_TLS_USE_OS_CERTS, 1));
        } else {
            // Without the last, the library would ask the terminal for the password of an encrypted
            // key.
            check(mosquitto_tls_set(client_, text(settings_.ca),
                                    settings_.ca.empty() ? kSystemAuthorities : nullptr,
                                    text(settings_.certificate), text(settings_.key),
                                    [](char*, int, int, void*) { return 0; }));
        }
        check(mosquitto_tls_opts_set(client_, 1, nullptr, nullptr));
    }

    void publish() {
        const std::string& topic = settings_.address.target;
        while (!waiting_.empty() && numbers_.size() < most_out_) {
            const Message message = std::move(waiting_.front());
            waiting_.pop_front();
            if (message.payload.size() + topic.size() + kLeastOverhead > most_bytes_) {
                outcomes_.push_back(
                    {message.id, Verdict::kRejected, "it is larger than the broker takes"});
                continue;
            }
            int packet = 0;
            check(mosquitto_publish(client_, &packet, topic.c_str(),
                                    static_cast<int>(message.payload.size()),
                                    message.payload.data(), 1, false));
            numbers_[packet] = message.id;
        }
    }

    void on_connect(int reason, const mosquitto_property* facts) {
        answer_ = reason;
        mosquitto_property_read_int16(facts, MQTT_PROP_RECEIVE_MAXIMUM, &most_out_, false);
        mosquitto_property_read_int32(facts, MQTT_PROP_MAXIMUM_PACKET_SIZE, &most_bytes_, false);
    }

    void on_publish(int packet, int reason) {
        const auto number = numbers_.find(packet);
        if (number == numbers_.end()) return;
        if (reason < 0x80) {
            outcomes_.push_back({number->second, Verdict::kAcknowledged, ""});
        } else {
            outcomes_.push_back({number->second,
                                 is_rejection(reason) ? Verdict::kRejected : Verdict::kFailed,
                                 mosquitto_reason_string(reason)});
        }
        numbers_.erase(number);
    }

    void check(int code) {
        if (code == MOSQ_ERR_SUCCESS) return;
        const bool tls = code == MOSQ_ERR_TLS || code == MOSQ_ERR_TLS_HANDSHAKE;
        const bool said = gone_ >= 0x80;  // the broker told why it disconnected
        throw TransportError(said ? mosquitto_reason_string(gone_) : word_of_code(code), tls);
    }

    const Settings settings_;
    mosquitto* client_ = nullptr;
    std::deque<Message> waiting_;
    std::unordered_map<int, Id> numbers_;  ///< of what is out, by the packet's
    std::vector<Outcome> outcomes_;
    int answer_ = -1;  ///< the broker's word on our login; -1 for none yet
    int gone_ = 0;     ///< its word on the end of the connection
    std::uint16_t most_out_ = 65'535;
    std::uint32_t most_bytes_ = 1u << 28;
};

}  // namespace

std::shared_ptr<Transport> make_mqtt_transport(const Settings& settings) {
    return std::make_shared<MqttTransport>(settings);
}

}  // namespace pamtri::sinks
