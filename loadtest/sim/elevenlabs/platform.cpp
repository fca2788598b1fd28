#include "loadtest/sim/elevenlabs/platform.h"

#include <algorithm>

#include "gateway/base/ids.h"
#include "gateway/net/form.h"

namespace sim::elevenlabs {
namespace {

constexpr auto signature_life = std::chrono::minutes{15};  // to start a conversation; a running one outlives it
constexpr std::string_view no_such_agent = "The AI agent you are trying to reach does not exist.";
constexpr std::string_view not_authorized =
    "Could not authorize the conversation. Please check the agent's authorization settings.";

}  // namespace

std::string Platform::sign(SignatureWish wish) {
  auto const now = time_.now();
  std::erase_if(signatures_, [now](auto const& entry) { return entry.second.expires < now; });
  auto token = base::new_id("cvtkn");
  signatures_.emplace(token, Signature{std::move(wish.agent_id), wish.once, false, now + signature_life});
  return token;
}

bool Platform::knows_key(std::string_view api_key) const {
  if (api_key.empty()) return false;
  auto const& keys = scenario.api_keys;
  return keys.empty() || std::find(keys.begin(), keys.end(), api_key) != keys.end();
}

Platform::Door Platform::knock(net::Request const& upgrade) {
  Door door;
  auto const query = net::decode_form(upgrade.query()).value_or(net::Form{});
  door.agent = scenario.find(net::find(query, "agent_id"));
  if (!door.agent) {
    door.refusal = no_such_agent;
    return door;
  }
  auto token = net::find(query, "conversation_signature");
  if (token.empty()) token = net::find(query, "token");  // its name in older documents
  if (!token.empty()) {
    auto const known = signatures_.find(token);
    bool const good = known != signatures_.end() && known->second.agent_id == door.agent->id &&
                      known->second.expires >= time_.now() && !(known->second.once && known->second.used);
    if (good) {
      known->second.used = true;
      door.authorization = "signed_url";
      return door;
    }
    door.authorization = "invalid";
    door.refusal = not_authorized;
    return door;
  }
  if (knows_key(upgrade.headers.find("xi-api-key"))) {
    door.authorization = "authorization_header";
    return door;
  }
  if (!door.agent->auth) return door;
  door.authorization = "invalid";
  door.refusal = not_authorized;
  return door;
}

std::string Platform::status(ConversationRecord const& conversation) const {
  if (!conversation.ended) return conversation.client_data.empty() ? "initiated" : "in-progress";
  if (time_.now() < conversation.ended->at + scenario.processing) return "processing";
  auto const code = conversation.ended->code;
  return code == 1002 || code == 1008 || code == 1011 ? "failed" : "done";
}

ConversationRecord const* Platform::find(std::string_view conversation_id) const {
  for (auto const& conversation : conversations)
    if (conversation->id == conversation_id) return conversation.get();
  return nullptr;
}

}  // namespace sim::elevenlabs
