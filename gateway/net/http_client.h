#pragma once
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "gateway/base/async.h"
#include "gateway/base/secret.h"
#include "gateway/net/egress_policy.h"
#include "gateway/net/http.h"

namespace net {

struct HttpCall {
  std::string method = "GET";
  std::string url;
  Headers headers;
  std::string body;
  std::optional<std::pair<std::string, base::Secret>> basic_auth;
  std::chrono::milliseconds timeout{10000};  ///< Name lookup to last byte.
  std::chrono::milliseconds connect_timeout{3000};
  std::size_t max_response_bytes = 1024 * 1024;
};

/// The only way out over HTTP: libcurl on a thread of its own (pooled connections, blocking name lookups kept off the
/// media cores). No redirects, no proxy from the environment. Thread safe.
class HttpClient {
 public:
  /// `extra_authority`, when not empty, is a PEM file trusted beside the system's store. With a `policy` it goes only
  /// where that allows, at most ten seconds, three to connect, and takes at most 1 MiB: for addresses that a tenant has
  /// chosen. Without one it goes anywhere: for those of the operator.
  explicit HttpClient(std::filesystem::path extra_authority = {}, std::optional<EgressPolicy> policy = {});
  ~HttpClient();  ///< Ends what is under way with Fault::cancelled.
  HttpClient(HttpClient const&) = delete;
  HttpClient& operator=(HttpClient const&) = delete;

  /// Any status is an answer. Fault::timed_out, Fault::too_large, Fault::refused when the policy forbids every address
  /// of the host, Fault::protocol for a method or header that cannot be sent, Fault::cancelled when the awaiting
  /// coroutine is cancelled or the client stops, or Fault::unavailable for everything below HTTP. A POST or
  /// PATCH with a body is never sent twice: one that a dying connection swallowed is Fault::unavailable.
  base::Async<base::Result<Response>> send(HttpCall call);

 private:
  class Engine;
  std::shared_ptr<Engine> engine_;
};

}  // namespace net
