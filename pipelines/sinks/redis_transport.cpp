// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Streams of Redis, by hiredis: an entry an event, with the fields `key` and `event`.
#include <hiredis/hiredis.h>
#ifdef PAMTRI_HIREDIS_SSL
#include <hiredis/hiredis_ssl.h>
#endif
#include <poll.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "errors.hpp"
#include "files.hpp"
#include "transports.hpp"

namespace pamtri::sinks {

namespace {

timeval timeval_of(Milliseconds time) {
    timeval value{};
    value.tv_sec = time.count() / 1000;
    value.tv_usec = time.count() % 1000 * 1000;
    return value;
}

bool is_refusal(const std::string& text) {
    for (const char* word : {"NOAUTH", "WRONGPASS", "NOPERM", "ERR AUTH", "ERR invalid password"}) {
        if (text.rfind(word, 0) == 0) return true;
    }
    return false;
}

struct ReplyDeleter {
    void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, ReplyDeleter>;

class RedisTransport final : public Transport {
  public:
    explicit RedisTransport(const Settings& settings) : settings_(settings) {
        if (settings.address.tls) make_tls();
    }

    ~RedisTransport() override {
        close();
#ifdef PAMTRI_HIREDIS_SSL
        if (tls_ != nullptr) redisFreeSSLContext(tls_);
#endif
    }

    void connect(Milliseconds wait) override {
        close();
        const Place& place = settings_.address.places.front();
        context_ = redisConnectWithTimeout(place.host.c_str(), place.port, timeval_of(wait));
        if (context_ == nullptr) throw TransportError(word_of(ENOMEM));
        check();
        redisSetTimeout(context_, timeval_of(wait));
        redisEnableKeepAlive(context_);
#ifdef PAMTRI_HIREDIS_SSL
        if (tls_ != nullptr && redisInitiateSSLWithContext(context_, tls_) != REDIS_OK) {
            throw TransportError(std::string("TLS: ") + context_->errstr, true);
        }
#endif
        const Address& address = settings_.address;
        if (!address.user.empty()) {
            ask({"AUTH", address.user, address.password});
        } else if (!address.password.empty()) {
            ask({"AUTH", address.password});
        }
        if (settings_.database != 0) ask({"SELECT", std::to_string(settings_.database)});
        ask({"PING"});
        redisSetTimeout(context_, timeval_of(settings_.timeout));
    }

    void send(const std::vector<Message>& messages) override {
        for (const Message& message : messages) {
            std::vector<std::string> words{"XADD", settings_.address.target};
            if (settings_.maxlen > 0) {
                words.insert(words.end(), {"MAXLEN", "~", std::to_string(settings_.maxlen)});
            }
            words.insert(words.end(), {"*", "key", message.key, "event", message.payload});
            append(words);
            out_.push_back(message.id);
        }
        int done = 0;
        while (!done) {
            if (redisBufferWrite(context_, &done) != REDIS_OK) check();
        }
    }

    std::vector<Outcome> poll(Milliseconds wait) override {
        if (out_.empty()) {
            look();
            return {};
        }
        pollfd socket{context_->fd, POLLIN, 0};
        if (::poll(&socket, 1, static_cast<int>(wait.count())) > 0 &&
            redisBufferRead(context_) != REDIS_OK) {
            check();
        }
        std::vector<Outcome> outcomes;
        while (!out_.empty()) {
            void* answer = nullptr;
            if (redisReaderGetReply(context_->reader, &answer) != REDIS_OK) {
                throw TransportError("it does not speak Redis's protocol");
            }
            if (answer == nullptr) break;
            const Reply reply(static_cast<redisReply*>(answer));
            const std::string why =
                reply->type == REDIS_REPLY_ERROR ? std::string(reply->str, reply->len) : "";
            if (is_refusal(why)) throw TransportError(why, true);
            outcomes.push_back(
                {out_.front(), why.empty() ? Verdict::kAcknowledged : Verdict::kFailed, why});
            out_.pop_front();
        }
        return outcomes;
    }

    void close() noexcept override {
        if (context_ != nullptr) redisFree(context_);
        context_ = nullptr;
        out_.clear();
    }

  private:
    void make_tls() {
#ifdef PAMTRI_HIREDIS_SSL
        redisInitOpenSSL();
        const auto text = [](const std::string& value) {
            return value.empty() ? nullptr : value.c_str();
        };
        redisSSLContextError error = REDIS_SSL_CTX_NONE;
        redisSSLOptions options{};
        options.cacert_filename = text(settings_.ca);
        options.capath = settings_.ca.empty() ? "/etc/ssl/certs" : nullptr;
        options.cert_filename = text(settings_.certificate);
        options.private_key_filename = text(settings_.key);
        options.server_name = settings_.address.places.front().host.c_str();
        options.verify_mode = REDIS_SSL_VERIFY_PEER;
        tls_ = redisCreateSSLContextWithOptions(&options, &error);
        if (tls_ == nullptr) {
            throw core::InputError(
                "the sink " + settings_.address.shown +
                " cannot use its certificates: " + redisSSLContextGetError(error) + ".");
        }
#else
        throw core::InputError(
            "the sink " + settings_.address.shown +
            " needs TLS, which hiredis has since 1.0 (Debian 13, Ubuntu 22.04: libhiredis-dev); "
            "build with "
            "one, or let a tunnel such as stunnel encrypt and give its address as redis://.");
#endif
    }

    void append(const std::vector<std::string>& words) {
        std::vector<const char*> texts;
        std::vector<std::size_t> sizes;
        for (const std::string& word : words) {
            texts.push_back(word.data());
            sizes.push_back(word.size());
        }
        redisAppendCommandArgv(context_, static_cast<int>(words.size()), texts.data(),
                               sizes.data());
    }

    /// Ask and wait for the answer.
    void ask(const std::vector<std::string>& words) {
        append(words);
        void* answer = nullptr;
        if (redisGetReply(context_, &answer) != REDIS_OK) check();
        const Reply reply(static_cast<redisReply*>(answer));
        if (reply->type != REDIS_REPLY_ERROR) return;
        const std::string why(reply->str, reply->len);
        throw TransportError(why, is_refusal(why));
    }

    /// See whether an idle connection is still there.
    void look() {
        pollfd socket{context_->fd, POLLIN, 0};
        if (::poll(&socket, 1, 0) > 0 && redisBufferRead(context_) != REDIS_OK) check();
    }

    void check() const {
        if (context_->err == 0) return;
        const bool system = context_->err == REDIS_ERR_IO && errno != 0;
        throw TransportError(system && (errno == EAGAIN || errno == EWOULDBLOCK)
                                 ? "no answer in time"
                                 : context_->errstr);
    }

    const Settings settings_;
    redisContext* context_ = nullptr;
#ifdef PAMTRI_HIREDIS_SSL
    redisSSLContext* tls_ = nullptr;
#endif
    std::deque<Id> out_;  ///< sent and not answered; answers come in this order
};

}  // namespace

std::shared_ptr<Transport> make_redis_transport(const Settings& settings) {
    return std::make_shared<RedisTransport>(settings);
}

}  // namespace pamtri::sinks
