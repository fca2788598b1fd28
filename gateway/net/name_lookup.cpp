#include "gateway/net/name_lookup.h"

#include <netdb.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

namespace net {
namespace {

using Addresses = std::vector<asio::ip::address>;

constexpr std::size_t most_threads = 16;

/// The coroutine's side: lives on its event loop and is touched there only, except `answer`, which is filled before the
/// post.
struct Asker {
  explicit Asker(asio::any_io_executor e) : executor{e}, bell{e, asio::steady_timer::time_point::max()} {}
  asio::any_io_executor executor;
  asio::steady_timer bell;
  bool answered = false;
  base::Result<Addresses> answer = base::fail(base::Fault::cancelled, "lookup abandoned");
};

/// The thread's side. Whoever leaves empties `asker` under the lock; from then on the thread knows no event loop.
class Question {
 public:
  Question(std::string host, std::shared_ptr<Asker> asker) : host_{std::move(host)}, asker_{std::move(asker)} {}

  std::string const& host() const { return host_; }
  void abandon() {
    std::scoped_lock const lock{mutex_};
    asker_.reset();
  }
  void answer(base::Result<Addresses> found) {
    std::scoped_lock const lock{mutex_};
    if (!asker_) return;
    asker_->answer = std::move(found);
    auto const executor = asker_->executor;
    // Under the lock, so that the asker cannot leave, and end its event loop, before post() has returned.
    asio::post(executor, [asker = std::move(asker_)] {
      asker->answered = true;
      asker->bell.cancel();
    });
  }

 private:
  std::string host_;
  std::mutex mutex_;
  std::shared_ptr<Asker> asker_;
};

base::Result<Addresses> ask_system(std::string const& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  int const error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error != 0) return base::fail(base::Fault::unavailable, ::gai_strerror(error));
  std::unique_ptr<addrinfo, void (*)(addrinfo*)> const owned{found, ::freeaddrinfo};
  Addresses addresses;
  for (auto const* entry = found; entry != nullptr; entry = entry->ai_next) {
    if (entry->ai_family == AF_INET) {
      auto const& v4 = *reinterpret_cast<sockaddr_in const*>(entry->ai_addr);
      addresses.emplace_back(asio::ip::address_v4{ntohl(v4.sin_addr.s_addr)});
    } else if (entry->ai_family == AF_INET6) {
      auto const& v6 = *reinterpret_cast<sockaddr_in6 const*>(entry->ai_addr);
      asio::ip::address_v6::bytes_type bytes;
      std::copy_n(v6.sin6_addr.s6_addr, bytes.size(), bytes.begin());
      addresses.emplace_back(asio::ip::address_v6{bytes, v6.sin6_scope_id});
    }
  }
  if (addresses.empty()) return base::fail(base::Fault::unavailable, "the name has no address");
  return addresses;
}

/// Questions and the threads that ask them. A thread starts with work to do and ends without.
class Desk {
 public:
  void submit(std::shared_ptr<Question> const& question) {
    std::scoped_lock const lock{mutex_};
    waiting_.push_back(question);
    if (threads_ >= most_threads) return;
    try {
      std::thread{[this] { work(); }}.detach();
      ++threads_;
    } catch (std::system_error const&) {
      if (threads_ > 0) return;  // one of them will come to it
      waiting_.pop_back();
      question->answer(base::fail(base::Fault::unavailable, "no thread to look up a name"));
    }
  }

  void abandon(std::shared_ptr<Question> const& question) {
    question->abandon();
    std::scoped_lock const lock{mutex_};
    std::erase(waiting_, question);
  }

 private:
  std::shared_ptr<Question> next() {
    std::scoped_lock const lock{mutex_};
    if (waiting_.empty()) {
      --threads_;
      return nullptr;
    }
    auto question = std::move(waiting_.front());
    waiting_.pop_front();
    return question;
  }

  void work() {
    while (auto const question = next()) question->answer(ask_system(question->host()));
  }

  std::mutex mutex_;
  std::deque<std::shared_ptr<Question>> waiting_;
  std::size_t threads_ = 0;
};

/// Never destroyed: a thread may still be inside getaddrinfo when the process ends.
Desk& desk() {
  static Desk& the_desk = *new Desk;
  return the_desk;
}

}  // namespace

base::Async<base::Result<Addresses>> look_up(std::string host) {
  co_await asio::this_coro::throw_if_cancelled(false);
  boost::system::error_code not_in_figures;
  auto const literal = asio::ip::make_address(host, not_in_figures);
  if (!not_in_figures) co_return Addresses{literal};
  auto const stop = co_await asio::this_coro::cancellation_state;
  if (stop.cancelled() != asio::cancellation_type::none)
    co_return base::fail(base::Fault::cancelled, "lookup abandoned");
  auto const asker = std::make_shared<Asker>(co_await asio::this_coro::executor);
  auto const question = std::make_shared<Question>(std::move(host), asker);
  // Also when this frame is destroyed while it waits, together with its event loop.
  struct Leaving {
    std::shared_ptr<Question> question;
    ~Leaving() { desk().abandon(question); }
  } const leaving{question};
  desk().submit(question);
  (void)co_await asker->bell.async_wait(base::quietly);
  if (!asker->answered) co_return base::fail(base::Fault::cancelled, "lookup abandoned");
  co_return std::move(asker->answer);
}

}  // namespace net
