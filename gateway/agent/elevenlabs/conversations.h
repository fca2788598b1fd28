#pragma once
#include <chrono>
#include <expected>
#include <optional>
#include <string>

#include "gateway/agent/elevenlabs/post_call.h"
#include "gateway/base/async.h"
#include "gateway/base/secret.h"
#include "gateway/base/time_source.h"
#include "gateway/net/http_client.h"

namespace gateway::elevenlabs {

/// Why a conversation could not be read.
struct Unread {
  enum class Kind {
    unknown,      ///< There is no such conversation in this account and region.
    not_allowed,  ///< The key is wrong or may not read conversations, or a quota is used up.
    too_often,    ///< Everybody should wait.
    later,        ///< The same question may be answered another time.
    never,        ///< Asking again cannot help.
  };
  Kind kind = Kind::later;
  std::string why;  ///< Status and the vendor's code, never a body.
  std::optional<std::chrono::milliseconds> retry_after;
};

/// The operator's conversations over REST: GET /v1/convai/conversations/{id}. Thread safe.
class Conversations {
 public:
  /// Both outlive it.
  Conversations(net::HttpClient& http, base::TimeSource& time, std::string api_base_url, base::Secret api_key)
      : http_{http}, time_{time}, api_base_url_{std::move(api_base_url)}, api_key_{std::move(api_key)} {}

  /// Without a key nothing can be read.
  bool can_read() const { return !api_key_.empty(); }

  /// As it stands now: whether it is complete is for the caller to see. Takes ten seconds at most.
  base::Async<std::expected<PostCall, Unread>> read(std::string conversation_id);

 private:
  net::HttpClient& http_;
  base::TimeSource& time_;
  std::string api_base_url_;
  base::Secret api_key_;
};

}  // namespace gateway::elevenlabs
