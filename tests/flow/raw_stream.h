#pragma once
// A media socket in the hands of somebody who is not Twilio, or behaves worse.
#include <memory>
#include <optional>
#include <string>

#include "gateway/base/bell.h"
#include "gateway/base/task_group.h"
#include "gateway/net/websocket.h"
#include "loadtest/sim/twilio/exchange.h"
#include "loadtest/sim/twilio/message.h"
#include "tests/flow/scene.h"

namespace flow {

/// Lives on the carrier's thread of a scene; make it, use it and destroy it inside Scene::run().
class RawStream final : public net::WebSocketSink {
 public:
  RawStream(Scene& scene, std::string call_sid)
      : scene_{scene},
        id_{scene.account_sid(), std::move(call_sid), sim::twilio::new_sid("MZ")},
        reader_{scene.carrier_executor()},
        news_{scene.carrier_executor()} {}

  enum class Door { signed_rightly, signed_wrongly, unsigned_ };

  base::Async<base::Result<>> connect(std::string url, Door door = Door::signed_rightly) {
    net::Headers headers;
    if (door == Door::signed_rightly) headers.add("X-Twilio-Signature", scene_.sign(url));
    if (door == Door::signed_wrongly) headers.add("X-Twilio-Signature", scene_.sign(url + "0"));
    auto const tls = net::make_tls_client();
    auto opened = co_await net::connect_websocket(*net::parse_url(url), std::move(headers), {}, *tls, 5s);
    if (!opened) co_return std::unexpected{opened.error()};
    socket_ = std::move(*opened);
    reader_.spawn(read());
    co_return base::Result<>{};
  }
  void send_connected() { send(sim::twilio::encode_connected()); }
  void send_start(std::string const& ticket) {
    sim::twilio::Parameters parameters;
    if (!ticket.empty()) parameters.emplace_back("ticket", ticket);
    send(sim::twilio::encode_start(id_, ++sequence_, parameters));
  }
  void send_audio(std::uint8_t code = media::mulaw_silence) {
    media::MulawFrame frame;
    frame.bytes.fill(code);
    std::string text;
    ++sequence_;
    ++chunk_;
    sim::twilio::encode_media(text, id_, sequence_, chunk_, static_cast<std::int64_t>(chunk_) * 20, frame.bytes);
    send(text);
  }
  void send(std::string_view text) { (void)socket_->send(text); }
  void send_binary(std::size_t bytes) { (void)socket_->send_binary(std::string(bytes, '\x01')); }

  base::Async<bool> until(std::function<bool()> condition, milliseconds patience = 5s) {
    using namespace asio::experimental::awaitable_operators;
    auto const deadline = scene_.time().now() + patience;
    while (!condition()) {
      if (scene_.time().now() >= deadline) co_return false;
      (void)co_await (news_.wait() || scene_.time().wait_until(deadline));
    }
    co_return true;
  }
  /// The close code, 0 when it is still open after `patience`.
  base::Async<int> close_code(milliseconds patience = 5s) {
    (void)co_await until([this] { return closed_.has_value(); }, patience);
    co_return closed_ ? closed_->code : 0;
  }
  /// Audio has come: the gateway has let this stream in.
  base::Async<bool> is_served(milliseconds patience = 5s) {
    auto const served = co_await until([this] { return messages_ > 0 || closed_; }, patience);
    co_return served&& messages_ > 0 && !closed_;
  }
  bool is_open() const { return socket_ && !closed_; }
  std::size_t messages() const { return messages_; }

  base::Async<> hang_up() {
    if (!socket_) co_return;
    send(sim::twilio::encode_stop(id_, ++sequence_));
    co_await socket_->close(1000, "");
    (void)co_await close_code();
    co_await reader_.drain(scene_.time(), 0s);
    socket_.reset();
  }

  void on_text(std::string_view) override {
    ++messages_;
    news_.ring();
  }

 private:
  base::Async<> read() {
    closed_ = co_await socket_->run(*this);
    news_.ring();
  }

  Scene& scene_;
  sim::twilio::StreamIdentity id_;
  std::unique_ptr<net::WebSocket> socket_;
  base::TaskGroup reader_;
  base::Bell news_;
  std::optional<net::WebSocketClosed> closed_;
  std::size_t messages_ = 0;
  std::uint64_t sequence_ = 0;
  std::uint64_t chunk_ = 0;
};

/// What a voice webhook's answer says about the stream.
struct Invitation {
  std::string url;
  std::string ticket;
};

inline Invitation invitation_in(std::string const& twiml) {
  auto const between = [&twiml](std::string_view before) {
    auto const at = twiml.find(before);
    if (at == std::string::npos) return std::string{};
    auto const from = at + before.size();
    return twiml.substr(from, twiml.find('"', from) - from);
  };
  return {between("<Stream url=\""), between("name=\"ticket\" value=\"")};
}

}  // namespace flow
