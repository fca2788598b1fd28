#include "gateway/net/http_client.h"

#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <unordered_map>
#include <vector>

#include "gateway/base/background.h"
#include "gateway/net/question.h"

namespace net {
namespace {

/// With a policy nobody gets more, whatever the request asks for.
constexpr std::chrono::milliseconds guarded_timeout{10'000};
constexpr std::chrono::milliseconds guarded_connect_timeout{3'000};
constexpr std::size_t guarded_response_bytes = 1024 * 1024;

/// A request under way, as the engine sees it.
struct Exchange {
  Exchange(HttpCall c, std::shared_ptr<Asker<Response>> asker) : call{std::move(c)}, question{std::move(asker)} {}
  ~Exchange() { curl_slist_free_all(header_list); }
  Exchange(Exchange const&) = delete;
  Exchange& operator=(Exchange const&) = delete;

  HttpCall call;
  Response response;
  std::size_t uploaded = 0;  // of a body that must not be sent twice
  curl_slist* header_list = nullptr;
  EgressPolicy const* policy = nullptr;
  bool was_refused = false;  // an address by the policy
  bool was_allowed = false;
  Question<Response> question;
};

std::size_t on_body(char* data, std::size_t, std::size_t size, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  if (size > exchange.call.max_response_bytes - exchange.response.body.size()) return 0;
  exchange.response.body.append(data, size);
  return size;
}

std::size_t on_upload(char* into, std::size_t, std::size_t size, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  auto const piece = std::string_view{exchange.call.body}.substr(exchange.uploaded, size);
  std::ranges::copy(piece, into);
  exchange.uploaded += piece.size();
  return piece.size();
}

std::size_t on_header(char* data, std::size_t, std::size_t size, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  std::string_view line{data, size};
  // A status line begins a new set: what an interim answer (1xx) brought is not the final answer's.
  if (line.starts_with("HTTP/")) {
    exchange.response.headers = {};
    return size;
  }
  auto const colon = line.find(':');
  if (colon == std::string_view::npos) return size;
  auto value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == '\r' || value.back() == '\n' || value.back() == ' '))
    value.remove_suffix(1);
  exchange.response.headers.add(std::string{line.substr(0, colon)}, std::string{value});
  return size;
}

bool is_https(std::string_view url) {
  constexpr std::string_view scheme = "https://";
  auto const lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  return url.size() > scheme.size() && std::ranges::equal(url.substr(0, scheme.size()), scheme, {}, lower, lower);
}

/// Called once for each address that libcurl is about to connect to: the one place where the real address is known.
curl_socket_t open_allowed(void* user, curlsocktype, curl_sockaddr* target) {
  auto& exchange = *static_cast<Exchange*>(user);
  if (!exchange.policy->allows(&target->addr, target->addrlen, is_https(exchange.call.url))) {
    exchange.was_refused = true;
    return CURL_SOCKET_BAD;
  }
  exchange.was_allowed = true;
  return ::socket(target->family, target->socktype | SOCK_CLOEXEC, target->protocol);
}

base::Fault fault_of(CURLcode code) {
  if (code == CURLE_OPERATION_TIMEDOUT) return base::Fault::timed_out;
  if (code == CURLE_WRITE_ERROR || code == CURLE_FILESIZE_EXCEEDED) return base::Fault::too_large;
  return base::Fault::unavailable;
}

/// Beside the system's store: libcurl's own option would stand in its place.
CURLcode trust_extra(CURL*, void* context, void* authority) {
  auto const& path = *static_cast<std::filesystem::path const*>(authority);
  bool const loaded = SSL_CTX_load_verify_file(static_cast<SSL_CTX*>(context), path.c_str()) == 1;
  ERR_clear_error();
  return loaded ? CURLE_OK : CURLE_SSL_CACERT_BADFILE;
}

CURL* prepare(Exchange& exchange, std::filesystem::path& extra_authority) {
  auto const& call = exchange.call;
  CURL* easy = curl_easy_init();
  if (!easy) throw std::bad_alloc{};
  curl_easy_setopt(easy, CURLOPT_URL, call.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  // A name lookup that outlasts its request is left behind; else this thread, and with it every request, would wait for
  // it.
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(call.timeout.count()));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(call.connect_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call.method.c_str());
  bool const may_repeat = call.method != "POST" && call.method != "PATCH";
  if (!may_repeat && !call.body.empty()) {
    // When a kept connection ends without an answer, libcurl says everything again on a fresh one, although the far end
    // may have acted on it. A body that cannot be rewound makes that an error.
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_upload);
    curl_easy_setopt(easy, CURLOPT_READDATA, &exchange);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
  } else if (!call.body.empty() || call.method == "POST" || call.method == "PUT" || call.method == "PATCH") {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call.body.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
  }
  // Without this libcurl would wait for the body that a HEAD answer only announces.
  if (call.method == "HEAD") curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  // libcurl drops "Name:", and sends an empty header when it is written "Name;".
  for (auto const& [name, value] : call.headers)
    exchange.header_list =
        curl_slist_append(exchange.header_list, (name + (value.empty() ? ";" : ": " + value)).c_str());
  if (!call.headers.has("Content-Type"))
    exchange.header_list = curl_slist_append(exchange.header_list, "Content-Type:");
  exchange.header_list = curl_slist_append(exchange.header_list, "Expect:");
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, exchange.header_list);
  if (call.basic_auth) {
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(easy, CURLOPT_USERNAME, call.basic_auth->first.c_str());
    curl_easy_setopt(easy, CURLOPT_PASSWORD, std::string{call.basic_auth->second.reveal()}.c_str());
  }
  if (exchange.policy != nullptr) {
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_allowed);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &exchange);
  }
  if (!extra_authority.empty()) {
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, trust_extra);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, &extra_authority);
  }
  curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(call.max_response_bytes));
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &exchange);
  return easy;
}

}  // namespace

/// The libcurl thread. Shared by the client and the requests under way, so that a request can be abandoned at any time.
class HttpClient::Engine {
 public:
  Engine(std::filesystem::path extra_authority, std::optional<EgressPolicy> policy)
      : extra_authority_{std::move(extra_authority)}, policy_{std::move(policy)} {
    static bool const initialised = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    multi_ = initialised ? curl_multi_init() : nullptr;
    if (!multi_) throw std::runtime_error{"libcurl could not be initialised"};
    thread_ = std::thread{[this] {
      base::stand_behind_media();
      loop();
    }};
  }

  ~Engine() { curl_multi_cleanup(multi_); }

  /// Ends what is under way with Fault::cancelled and joins the thread.
  void stop() {
    stopping_ = true;
    curl_multi_wakeup(multi_);
    thread_.join();
  }

  /// False when the client has stopped.
  bool submit(std::shared_ptr<Exchange> exchange) {
    {
      std::scoped_lock const lock{mutex_};
      if (closed_) return false;
      arriving_.push_back(std::move(exchange));
    }
    curl_multi_wakeup(multi_);
    return true;
  }

  void wake() { curl_multi_wakeup(multi_); }

 private:
  void loop() {
    while (!stopping_) {
      take_new();
      int running = 0;
      curl_multi_perform(multi_, &running);
      collect();
      drop_abandoned();
      curl_multi_poll(multi_, nullptr, 0, 1000, nullptr);
    }
    {
      std::scoped_lock const lock{mutex_};
      closed_ = true;
    }
    take_new();
    for (auto& [easy, exchange] : under_way_) {
      release(easy);
      exchange->question.answer(base::fail(base::Fault::cancelled, "client stopped"));
    }
  }

  void take_new() {
    std::vector<std::shared_ptr<Exchange>> fresh;
    {
      std::scoped_lock const lock{mutex_};
      fresh.swap(arriving_);
    }
    for (auto& exchange : fresh) {
      if (policy_) guard(*exchange);
      CURL* easy = prepare(*exchange, extra_authority_);
      under_way_.emplace(easy, exchange);
      curl_multi_add_handle(multi_, easy);
    }
  }

  void guard(Exchange& exchange) const {
    auto& call = exchange.call;
    exchange.policy = &*policy_;
    // libcurl takes a zero for no limit at all.
    constexpr std::chrono::milliseconds least{1};
    call.timeout = std::clamp(call.timeout, least, guarded_timeout);
    call.connect_timeout = std::clamp(call.connect_timeout, least, guarded_connect_timeout);
    call.max_response_bytes = std::min(call.max_response_bytes, guarded_response_bytes);
  }

  void collect() {
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* easy = message->easy_handle;
      auto const code = message->data.result;
      auto const exchange = under_way_.extract(easy).mapped();
      long status = 0;
      curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
      exchange->response.status = static_cast<unsigned>(status);
      release(easy);
      if (code == CURLE_OK)
        exchange->question.answer(std::move(exchange->response));
      else if (exchange->was_refused && !exchange->was_allowed)
        exchange->question.answer(base::fail(base::Fault::refused, "the address is not one that requests may go to"));
      else
        exchange->question.answer(base::fail(fault_of(code), curl_easy_strerror(code)));
    }
  }

  void drop_abandoned() {
    std::erase_if(under_way_, [this](auto const& entry) {
      if (!entry.second->question.is_abandoned()) return false;
      release(entry.first);
      return true;
    });
  }

  void release(CURL* easy) {
    curl_multi_remove_handle(multi_, easy);
    curl_easy_cleanup(easy);
  }

  std::filesystem::path extra_authority_;
  std::optional<EgressPolicy> const policy_;
  CURLM* multi_ = nullptr;
  std::mutex mutex_;  // guards arriving_ and closed_, the door between the cores and this thread
  std::vector<std::shared_ptr<Exchange>> arriving_;
  bool closed_ = false;
  std::unordered_map<CURL*, std::shared_ptr<Exchange>> under_way_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

HttpClient::HttpClient(std::filesystem::path extra_authority, std::optional<EgressPolicy> policy)
    : engine_{std::make_shared<Engine>(std::move(extra_authority), std::move(policy))} {}
HttpClient::~HttpClient() {
  engine_->stop();
}

base::Async<base::Result<Response>> HttpClient::send(HttpCall call) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto const stop = co_await asio::this_coro::cancellation_state;
  if (stop.cancelled() != asio::cancellation_type::none)
    co_return base::fail(base::Fault::cancelled, "request abandoned");
  bool const clean_method =
      !call.method.empty() && std::ranges::all_of(call.method, [](char c) { return c >= 'A' && c <= 'Z'; });
  if (!clean_method || !is_sendable(call.headers))
    co_return base::fail(base::Fault::protocol, "the method or a header holds a forbidden character");

  auto const asker = std::make_shared<Asker<Response>>(co_await asio::this_coro::executor);
  auto const engine = engine_;
  auto const exchange = std::make_shared<Exchange>(std::move(call), asker);
  // Also when this frame is destroyed while it waits, together with its event loop.
  struct Leaving {
    std::shared_ptr<Engine> engine;
    std::shared_ptr<Exchange> exchange;
    ~Leaving() {
      if (exchange->question.is_abandoned()) return;
      exchange->question.abandon();
      engine->wake();
    }
  } const leaving{engine, exchange};
  if (!engine->submit(exchange)) co_return base::fail(base::Fault::cancelled, "client stopped");
  (void)co_await asker->bell.async_wait(base::quietly);
  if (!asker->answered) co_return base::fail(base::Fault::cancelled, "request abandoned");
  co_return std::move(asker->answer);
}

}  // namespace net
