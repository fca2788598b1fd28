#include "gateway/net/name_lookup.h"

#include <netdb.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

#include "gateway/net/question.h"

namespace net {
namespace {

using Addresses = std::vector<asio::ip::address>;

constexpr std::size_t most_threads = 16;

struct Lookup {
  Lookup(std::string h, std::shared_ptr<Asker<Addresses>> asker) : host{std::move(h)}, question{std::move(asker)} {}
  std::string host;
  Question<Addresses> question;
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

/// Lookups and the threads that ask. A thread starts with work to do and ends without.
class Desk {
 public:
  void submit(std::shared_ptr<Lookup> const& lookup) {
    std::scoped_lock const lock{mutex_};
    waiting_.push_back(lookup);
    if (threads_ >= most_threads) return;
    try {
      std::thread{[this] { work(); }}.detach();
      ++threads_;
    } catch (std::system_error const&) {
      if (threads_ > 0) return;  // one of them will come to it
      waiting_.pop_back();
      lookup->question.answer(base::fail(base::Fault::unavailable, "no thread to look up a name"));
    }
  }

  void abandon(std::shared_ptr<Lookup> const& lookup) {
    lookup->question.abandon();
    std::scoped_lock const lock{mutex_};
    std::erase(waiting_, lookup);
  }

 private:
  std::shared_ptr<Lookup> next() {
    std::scoped_lock const lock{mutex_};
    if (waiting_.empty()) {
      --threads_;
      return nullptr;
    }
    auto lookup = std::move(waiting_.front());
    waiting_.pop_front();
    return lookup;
  }

  void work() {
    while (auto const lookup = next()) lookup->question.answer(ask_system(lookup->host));
  }

  std::mutex mutex_;
  std::deque<std::shared_ptr<Lookup>> waiting_;
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
  auto const asker = std::make_shared<Asker<Addresses>>(co_await asio::this_coro::executor);
  auto const lookup = std::make_shared<Lookup>(std::move(host), asker);
  // Also when this frame is destroyed while it waits, together with its event loop.
  struct Leaving {
    std::shared_ptr<Lookup> lookup;
    ~Leaving() { desk().abandon(lookup); }
  } const leaving{lookup};
  desk().submit(lookup);
  (void)co_await asker->bell.async_wait(base::quietly);
  if (!asker->answered) co_return base::fail(base::Fault::cancelled, "lookup abandoned");
  co_return std::move(asker->answer);
}

}  // namespace net
