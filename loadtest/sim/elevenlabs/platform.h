#pragma once
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/net/http.h"
#include "loadtest/sim/elevenlabs/record.h"
#include "loadtest/sim/elevenlabs/scenario.h"

namespace sim::elevenlabs {

/// An answer that the REST side gives instead of the true one.
struct RestFault {
  /// How errors of the service look: with code and type; {status, message}; a list (422); a text; no detail at all.
  enum class Shape { current, legacy, list, text, absent };
  std::string path_contains;  ///< Part of the path and query; empty: every request.
  unsigned status = 500;      ///< 200: only the delay.
  std::string code = "internal_error";
  Shape shape = Shape::legacy;
  Milliseconds delay{0};
  bool truncated = false;  ///< The true answer, cut in the middle of its JSON.
  int times = -1;          ///< -1: for ever.
};

/// The state behind sockets and REST: agents, signed URLs, conversations. One thread.
class Platform {
 public:
  Platform(base::TimeSource& time, Scenario known) : scenario{std::move(known)}, time_{time} {}

  struct SignatureWish {
    std::string agent_id;
    bool once = false;  ///< include_conversation_id=true: works for one conversation.
  };
  /// The token of a signed URL; valid 15 minutes to start a conversation.
  std::string sign(SignatureWish wish);

  bool knows_key(std::string_view api_key) const;
  /// Why a socket may not be opened, in the service's words; otherwise how it was authorized.
  struct Door {
    Agent const* agent = nullptr;
    std::string authorization = "public";
    std::string refusal;
  };
  Door knock(net::Request const& upgrade);

  std::string status(ConversationRecord const& conversation) const;
  ConversationRecord const* find(std::string_view conversation_id) const;

  Scenario scenario;
  std::deque<std::unique_ptr<ConversationRecord>> conversations;  ///< Oldest first.
  std::vector<RestFault> faults;
  bool is_secure = false;  ///< Met over TLS.

 private:
  struct Signature {
    std::string agent_id;
    bool once;
    bool used = false;
    base::Instant expires;
  };
  base::TimeSource& time_;
  std::map<std::string, Signature, std::less<>> signatures_;
};

}  // namespace sim::elevenlabs
