#include "gateway/net/http_client.h"

#include <curl/curl.h>

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <unordered_map>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

namespace net {
namespace {

/// One request from hand-over to answer. Owned by the engine while under way and by the waiting coroutine.
struct Exchange {
  Exchange(HttpCall c, asio::any_io_executor e) : call{std::move(c)}, executor{e}, bell{e} {
    bell.expires_at(asio::steady_timer::time_point::max());
  }
  HttpCall call;
  asio::any_io_executor executor;
  asio::steady_timer bell;  // touched on `executor` only
  bool answered = false;    // touched on `executor` only
  std::atomic<bool> abandoned = false;
  base::Result<Response> answer = base::fail(base::Fault::cancelled, "client stopped");
  Response response;
  curl_slist* header_list = nullptr;

  ~Exchange() { curl_slist_free_all(header_list); }
};

std::size_t on_body(char* data, std::size_t, std::size_t size, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  if (exchange.response.body.size() + size > exchange.call.max_response_bytes) return 0;
  exchange.response.body.append(data, size);
  return size;
}

std::size_t on_header(char* data, std::size_t, std::size_t size, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  std::string_view line{data, size};
  auto const colon = line.find(':');
  if (colon == std::string_view::npos) return size;
  auto value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == '\r' || value.back() == '\n' || value.back() == ' ')) value.remove_suffix(1);
  exchange.response.headers.add(std::string{line.substr(0, colon)}, std::string{value});
  return size;
}

base::Fault fault_of(CURLcode code) {
  if (code == CURLE_OPERATION_TIMEDOUT) return base::Fault::timed_out;
  if (code == CURLE_WRITE_ERROR) return base::Fault::too_large;
  return base::Fault::unavailable;
}

void finish(std::shared_ptr<Exchange> const& exchange, base::Result<Response> answer) {
  exchange->answer = std::move(answer);
  asio::post(exchange->executor, [exchange] {
    exchange->answered = true;
    exchange->bell.cancel();
  });
}

CURL* prepare(Exchange& exchange) {
  auto const& call = exchange.call;
  CURL* easy = curl_easy_init();
  if (!easy) throw std::bad_alloc{};
  curl_easy_setopt(easy, CURLOPT_URL, call.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(call.timeout.count()));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(call.connect_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call.method.c_str());
  if (!call.body.empty() || call.method == "POST" || call.method == "PUT" || call.method == "PATCH") {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call.body.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
  }
  for (auto const& [name, value] : call.headers)
    exchange.header_list = curl_slist_append(exchange.header_list, (name + ": " + value).c_str());
  exchange.header_list = curl_slist_append(exchange.header_list, "Expect:");
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, exchange.header_list);
  if (call.basic_auth) {
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(easy, CURLOPT_USERNAME, call.basic_auth->first.c_str());
    curl_easy_setopt(easy, CURLOPT_PASSWORD, std::string{call.basic_auth->second.reveal()}.c_str());
  }
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &exchange);
  return easy;
}

}  // namespace

class HttpClient::Engine {
 public:
  Engine() {
    static bool const initialised = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    multi_ = initialised ? curl_multi_init() : nullptr;
    if (!multi_) throw std::runtime_error{"libcurl could not be initialised"};
    thread_ = std::thread{[this] { loop(); }};
  }

  ~Engine() {
    stopping_ = true;
    curl_multi_wakeup(multi_);
    thread_.join();
    curl_multi_cleanup(multi_);
  }

  void submit(std::shared_ptr<Exchange> exchange) {
    {
      std::scoped_lock const lock{mutex_};
      arriving_.push_back(std::move(exchange));
    }
    curl_multi_wakeup(multi_);
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
    take_new();
    for (auto& [easy, exchange] : under_way_) {
      curl_multi_remove_handle(multi_, easy);
      curl_easy_cleanup(easy);
      finish(exchange, base::fail(base::Fault::cancelled, "client stopped"));
    }
  }

  void take_new() {
    std::vector<std::shared_ptr<Exchange>> fresh;
    {
      std::scoped_lock const lock{mutex_};
      fresh.swap(arriving_);
    }
    for (auto& exchange : fresh) {
      CURL* easy = prepare(*exchange);
      under_way_.emplace(easy, exchange);
      curl_multi_add_handle(multi_, easy);
    }
  }

  void collect() {
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* easy = message->easy_handle;
      auto const code = message->data.result;
      auto const found = under_way_.find(easy);
      auto const exchange = found->second;
      long status = 0;
      curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
      exchange->response.status = static_cast<unsigned>(status);
      curl_multi_remove_handle(multi_, easy);
      curl_easy_cleanup(easy);
      under_way_.erase(found);
      if (code == CURLE_OK) finish(exchange, std::move(exchange->response));
      else finish(exchange, base::fail(fault_of(code), curl_easy_strerror(code)));
    }
  }

  void drop_abandoned() {
    for (auto it = under_way_.begin(); it != under_way_.end();) {
      if (!it->second->abandoned) {
        ++it;
        continue;
      }
      curl_multi_remove_handle(multi_, it->first);
      curl_easy_cleanup(it->first);
      it = under_way_.erase(it);
    }
  }

  CURLM* multi_ = nullptr;
  std::mutex mutex_;  // guards arriving_, the door between the cores and this thread
  std::vector<std::shared_ptr<Exchange>> arriving_;
  std::unordered_map<CURL*, std::shared_ptr<Exchange>> under_way_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

HttpClient::HttpClient() : engine_{std::make_unique<Engine>()} {}
HttpClient::~HttpClient() = default;

base::Async<base::Result<Response>> HttpClient::send(HttpCall call) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto const exchange = std::make_shared<Exchange>(std::move(call), co_await asio::this_coro::executor);
  engine_->submit(exchange);
  (void)co_await exchange->bell.async_wait(base::quietly);
  if (!exchange->answered) {
    exchange->abandoned = true;
    engine_->wake();
    co_return base::fail(base::Fault::cancelled, "request abandoned");
  }
  co_return std::move(exchange->answer);
}

}  // namespace net
