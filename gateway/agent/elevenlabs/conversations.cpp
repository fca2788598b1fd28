#include "gateway/agent/elevenlabs/conversations.h"

#include "crm/outbox/retry_after.h"
#include "gateway/agent/elevenlabs/rest.h"
#include "gateway/net/form.h"

namespace gateway::elevenlabs {
namespace {

constexpr auto limit = std::chrono::seconds{10};
// A long conversation with the metrics of every turn and the results of its tools.
constexpr std::size_t most_bytes = 8 * 1024 * 1024;

Unread::Kind kind_of(net::Response const& response, base::Error const& error) {
  if (error.fault == base::Fault::not_found) return Unread::Kind::unknown;
  if (response.status == 401 || response.status == 403) return Unread::Kind::not_allowed;
  if (response.status == 429) return Unread::Kind::too_often;
  return error.fault == base::Fault::unavailable ? Unread::Kind::later : Unread::Kind::never;
}

Unread::Kind kind_of(base::Error const& error) {
  bool const hopeless = error.fault == base::Fault::too_large || error.fault == base::Fault::protocol;
  return hopeless ? Unread::Kind::never : Unread::Kind::later;
}

}  // namespace

base::Async<std::expected<PostCall, Unread>> Conversations::read(std::string conversation_id) {
  net::HttpCall call;
  call.url = api_base_url_ + "/v1/convai/conversations/" + net::percent_encode(conversation_id);
  call.headers.add("xi-api-key", std::string{api_key_.reveal()});
  call.headers.add("Accept", "application/json");
  call.timeout = limit;
  call.max_response_bytes = most_bytes;
  auto const answer = co_await http_.send(std::move(call));
  if (!answer) co_return std::unexpected{Unread{kind_of(answer.error()), answer.error().detail, std::nullopt}};
  if (answer->status != 200) {
    auto error = api_error(*answer);
    Unread unread{kind_of(*answer, error), std::move(error.detail), std::nullopt};
    unread.retry_after = crm::parse_retry_after(answer->headers.find("retry-after"), time_.wall());
    co_return std::unexpected{std::move(unread)};
  }
  auto read = read_conversation(answer->body);
  // An answer that was cut on its way may be whole the next time.
  if (!read) co_return std::unexpected{Unread{Unread::Kind::later, "the answer cannot be read", std::nullopt}};
  if (read->conversation_id != conversation_id)
    co_return std::unexpected{Unread{Unread::Kind::never, "the answer is another conversation", std::nullopt}};
  co_return std::move(*read);
}

}  // namespace gateway::elevenlabs
