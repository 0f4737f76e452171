// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Kafka, by librdkafka: an idempotent producer, the track as the message's key.
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "errors.hpp"
#include "transports.hpp"

namespace pamtri::sinks {

namespace {

bool is_refusal(rd_kafka_resp_err_t code) {
    for (const auto one : {RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR__SSL,
                           RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
                           RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
                           RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED}) {
        if (code == one) return true;
    }
    return false;
}

bool is_rejection(rd_kafka_resp_err_t code) {
    return code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || code == RD_KAFKA_RESP_ERR_INVALID_MSG;
}

std::string words_of(rd_kafka_resp_err_t code, const std::string& text) {
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) return "no broker answers";
    return text.empty() ? rd_kafka_err2str(code) : text;
}

class KafkaTransport final : public Transport {
  public:
    explicit KafkaTransport(const Settings& settings) : settings_(settings) {
        try {
            make();  // options that cannot be used are told at once
        } catch (const TransportError& error) {
            throw core::InputError("the sink " + settings.address.shown +
                                   " cannot be used: " + settings.hide(error.what()) + ".");
        }
        close();
    }

    ~KafkaTransport() override { close(); }

    void connect(Milliseconds wait) override {
        close();
        make();
        rd_kafka_topic_t* topic =
            rd_kafka_topic_new(client_, settings_.address.target.c_str(), nullptr);
        const struct rd_kafka_metadata* facts = nullptr;
        const int wait_ms = static_cast<int>(std::max<std::int64_t>(wait.count(), 100));
        const rd_kafka_resp_err_t code =
            topic == nullptr ? rd_kafka_last_error()
                             : rd_kafka_metadata(client_, 0, topic, &facts, wait_ms);
        if (facts != nullptr) rd_kafka_metadata_destroy(facts);
        if (topic != nullptr) rd_kafka_topic_destroy(topic);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            rd_kafka_poll(client_, 0);
            if (error_ != RD_KAFKA_RESP_ERR_NO_ERROR) fail();
            throw TransportError(words_of(code, ""), is_refusal(code));
        }
        error_ = RD_KAFKA_RESP_ERR_NO_ERROR;
    }

    void send(const std::vector<Message>& messages) override {
        for (const Message& message : messages) {
            // The payload is copied, so that librdkafka owns its own; the number comes back as the
            // opaque.
            const rd_kafka_resp_err_t code = rd_kafka_producev(
                client_, RD_KAFKA_V_TOPIC(settings_.address.target.c_str()),
                RD_KAFKA_V_KEY(message.key.data(), message.key.size()),
                RD_KAFKA_V_VALUE(const_cast<char*>(message.payload.data()), message.payload.size()),
                RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                RD_KAFKA_V_OPAQUE(reinterpret_cast<void*>(static_cast<std::uintptr_t>(message.id))),
                RD_KAFKA_V_END);
            if (code != RD_KAFKA_RESP_ERR_NO_ERROR) note(message.id, code);
        }
    }

    std::vector<Outcome> poll(Milliseconds wait) override {
        rd_kafka_poll(client_, outcomes_.empty() ? static_cast<int>(wait.count()) : 0);
        if (error_ != RD_KAFKA_RESP_ERR_NO_ERROR && outcomes_.empty()) fail();
        return std::exchange(outcomes_, {});
    }

    void close() noexcept override {
        if (client_ != nullptr) {
            rd_kafka_purge(client_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
            rd_kafka_destroy(client_);
        }
        client_ = nullptr;
        outcomes_.clear();
        error_ = RD_KAFKA_RESP_ERR_NO_ERROR;
    }

  private:
    using Options = std::unique_ptr<rd_kafka_conf_t, decltype(&rd_kafka_conf_destroy)>;

    static void set(const Options& options, const char* name, const std::string& value) {
        char why[512];
        if (rd_kafka_conf_set(options.get(), name, value.c_str(), why, sizeof why) !=
            RD_KAFKA_CONF_OK) {
            throw TransportError(why, true);
        }
    }

    void make() {
        const Address& address = settings_.address;
        Options options(rd_kafka_conf_new(), rd_kafka_conf_destroy);
        std::string servers;
        for (const Place& place : address.places) {
            const bool number = place.host.find(':') != std::string::npos;
            servers += (servers.empty() ? "" : ",") +
                       (number ? "[" + place.host + "]" : place.host) + ":" +
                       std::to_string(place.port);
        }
        const std::int64_t timeout = std::max<std::int64_t>(settings_.timeout.count(), 1000);
        set(options, "bootstrap.servers", servers);
        set(options, "client.id", "pamtri-edge");
        set(options, "enable.idempotence", "true");
        set(options, "linger.ms", "5");
        set(options, "message.timeout.ms", std::to_string(timeout));
        set(options, "security.protocol",
            std::string(address.user.empty() ? "" : "SASL_") + (address.tls ? "SSL" : "PLAINTEXT"));
        if (!address.user.empty()) {
            set(options, "sasl.mechanism", settings_.sasl);
            set(options, "sasl.username", address.user);
            set(options, "sasl.password", address.password);
        }
        const std::initializer_list<std::pair<const char*, const std::string&>> others = {
            {"compression.type", settings_.compression},
            {"ssl.ca.location", settings_.ca},
            {"ssl.certificate.location", settings_.certificate},
            {"ssl.key.location", settings_.key},
        };
        for (const auto& [name, value] : others) {
            if (!value.empty()) set(options, name, value);
        }
        rd_kafka_conf_set_opaque(options.get(), this);
        rd_kafka_conf_set_log_cb(options.get(),
                                 [](const rd_kafka_t*, int, const char*, const char*) {});
        rd_kafka_conf_set_error_cb(options.get(),
                                   [](rd_kafka_t*, int code, const char* text, void* self) {
                                       static_cast<KafkaTransport*>(self)->on_error(
                                           static_cast<rd_kafka_resp_err_t>(code), text);
                                   });
        rd_kafka_conf_set_dr_msg_cb(
            options.get(), [](rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
                static_cast<KafkaTransport*>(self)->note(
                    static_cast<Id>(reinterpret_cast<std::uintptr_t>(message->_private)),
                    message->err);
            });
        char why[512];
        client_ = rd_kafka_new(RD_KAFKA_PRODUCER, options.get(), why, sizeof why);
        if (client_ == nullptr) throw TransportError(why, true);
        (void)options.release();  // it is the client's now
    }

    void on_error(rd_kafka_resp_err_t code, const char* text) {
        if (code != RD_KAFKA_RESP_ERR__FATAL && code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN &&
            !is_refusal(code)) {
            return;
        }
        error_ = code;
        error_text_ = text == nullptr ? "" : text;
    }

    [[noreturn]] void fail() const {
        throw TransportError(words_of(error_, error_text_), is_refusal(error_));
    }

    void note(Id id, rd_kafka_resp_err_t code) {
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            outcomes_.push_back({id, Verdict::kAcknowledged, ""});
        } else {
            outcomes_.push_back({id, is_rejection(code) ? Verdict::kRejected : Verdict::kFailed,
                                 rd_kafka_err2str(code)});
        }
    }

    const Settings settings_;
    rd_kafka_t* client_ = nullptr;
    std::vector<Outcome> outcomes_;
    rd_kafka_resp_err_t error_ = RD_KAFKA_RESP_ERR_NO_ERROR;
    std::string error_text_;
};

}  // namespace

std::shared_ptr<Transport> make_kafka_transport(const Settings& settings) {
    return std::make_shared<KafkaTransport>(settings);
}

}  // namespace pamtri::sinks
