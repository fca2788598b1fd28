#include "gateway/twilio/media_door.h"

#include <charconv>

#include "twiml/answers.h"

namespace gateway::twilio {

using namespace asio::experimental::awaitable_operators;

namespace {

constexpr std::string_view media_prefix = "/media/twilio/";

// Two seconds of audio as base64 in messages of three frames, with room for marks.
constexpr std::size_t most_queued_bytes = 28 * 1024;

}  // namespace

std::string media_path(std::size_t core) {
  return std::string{media_prefix} + std::to_string(core);
}

std::size_t core_of_media_path(std::string_view path, std::size_t cores) {
  if (!path.starts_with(media_prefix)) return 0;
  path.remove_prefix(media_prefix.size());
  std::size_t core = 0;
  auto const [end, error] = std::from_chars(path.data(), path.data() + path.size(), core);
  return error == std::errc{} && core < cores ? core : 0;
}

MediaDoor::MediaDoor(SignatureVerifier const& verifier, Accounts const& accounts, TicketOffice const& tickets,
                     Calls& calls, net::Lobby& lobby, base::TimeSource& time, StreamMetrics& metrics, base::Log log,
                     DoorSettings settings)
    : verifier_{verifier},
      accounts_{accounts},
      tickets_{tickets},
      calls_{calls},
      lobby_{lobby},
      time_{time},
      metrics_{metrics},
      log_{std::move(log)},
      settings_{settings} {}

base::Async<> MediaDoor::serve(net::PendingUpgrade pending) {
  auto const& request = pending.request();
  auto const header = request.headers.find("X-Twilio-Signature");
  if (!verifier_.verify_websocket(accounts_.all_tokens(), request.target, header)) {
    metrics_.refused_unsigned.Increment();
    co_await pending.refuse(net::error_response(403, "FORBIDDEN", "the signature is missing or wrong"));
    co_return;
  }
  auto const peer = request.peer_address;
  net::WebSocketSettings settings;
  settings.max_queued_bytes = most_queued_bytes;
  settings.idle_timeout = settings_.idle_limit;
  auto socket = co_await pending.accept(settings);
  if (!socket) co_return;
  MediaStream stream{std::move(*socket), time_, metrics_, co_await asio::this_coro::executor};
  net::Lobby::Guest guest{lobby_, peer, [&stream] { stream.drop(); }};
  co_await (stream.read() && admit(stream, guest) && stream.watch(settings_.idle_limit));
}

base::Async<> MediaDoor::admit(MediaStream& stream, net::Lobby::Guest& guest) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto const start = co_await stream.started(time_.now() + settings_.start_limit);
  if (!start) {
    metrics_.refused_silent.Increment();
    co_await stream.refuse("no start");
    co_return;
  }
  auto const call = prove(*start);
  if (!call) {
    metrics_.refused_ticket.Increment();
    log_.warning("media socket refused", {{"why", call.error().detail}});
    co_await stream.refuse("not admitted");
    co_return;
  }
  guest.leave();
  metrics_.accepted.Increment();
  auto served = co_await (*call)->serve(stream);
  if (!served) {
    log_.warning("media socket refused", {{"why", served.error().detail}});
    co_await stream.refuse("not admitted");
  }
}

base::Result<Call*> MediaDoor::prove(Start const& start) {
  auto const now = time_.wall();
  auto const claims = tickets_.verify(start.parameter(twiml::ticket_parameter), now);
  if (!claims) return std::unexpected{claims.error()};
  if (claims->call_sid != start.call_sid) return base::fail(base::Fault::refused, "ticket of another call");
  auto* const call = calls_.find(start.call_sid);
  if (!call) return base::fail(base::Fault::not_found, "no such call here");
  if (call->plan().route->tenant != claims->tenant || call->plan().account != start.account_sid)
    return base::fail(base::Fault::refused, "ticket of another tenant or account");
  while (!used_until_.empty() && used_until_.front().first < now) {
    used_.erase(used_until_.front().second);
    used_until_.pop_front();
  }
  if (!used_.insert(claims->nonce).second) return base::fail(base::Fault::refused, "ticket already used");
  used_until_.emplace_back(claims->expires + std::chrono::seconds{1}, claims->nonce);
  return call;
}

}  // namespace gateway::twilio
