#include "gateway/net/name_lookup.h"

#include <dlfcn.h>
#include <netdb.h>

#include <condition_variable>
#include <cstring>
#include <mutex>

#include "gateway/net/http_client.h"
#include "gateway/net/websocket.h"
#include "tests/support/story.h"

namespace {

using namespace std::chrono_literals;

/// The name service of this program: "slow.test" is not answered before open(), "no.test" does not exist, "good.test"
/// is here.
class NameService {
 public:
  static NameService& get() {
    static NameService& service = *new NameService;  // threads may still ask when the program ends
    return service;
  }

  void hold() {
    std::scoped_lock const lock{mutex_};
    held_ = true;
  }
  /// Waits until nobody is left inside.
  void open() {
    std::unique_lock lock{mutex_};
    held_ = false;
    changed_.notify_all();
    changed_.wait(lock, [this] { return waiting_ == 0; });
  }
  void pass() {
    std::unique_lock lock{mutex_};
    ++waiting_;
    ++asked_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !held_; });
    --waiting_;
    changed_.notify_all();
  }
  /// How often "slow.test" has been asked for.
  std::size_t asked() {
    std::scoped_lock const lock{mutex_};
    return asked_;
  }
  bool comes_to_hold(std::size_t lookups) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, 10s, [&] { return waiting_ == lookups; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
  std::size_t waiting_ = 0;
  std::size_t asked_ = 0;
};

}  // namespace

/// Takes the place of the C library's, in libcurl too.
extern "C" int getaddrinfo(char const* name, char const* service, addrinfo const* hints, addrinfo** found) {
  using Real = int (*)(char const*, char const*, addrinfo const*, addrinfo**);
  static auto const real = reinterpret_cast<Real>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  std::string_view const asked = name != nullptr ? name : "";
  if (asked == "no.test") return EAI_NONAME;
  if (asked == "slow.test") NameService::get().pass();
  return real(asked.ends_with(".test") ? "127.0.0.1" : name, service, hints, found);
}

namespace {

using test::play;

class NameLookup : public testing::Test {
 protected:
  void TearDown() override { NameService::get().open(); }
  asio::io_context loop{1};
};

TEST_F(NameLookup, finds_the_addresses_of_a_name) {
  play(loop, []() -> base::Async<> {
    auto const found = co_await net::look_up("good.test");
    EXPECT_TRUE(found && found->front() == asio::ip::make_address("127.0.0.1"));
    auto const missing = co_await net::look_up("no.test");
    EXPECT_FALSE(missing);
    if (!missing) EXPECT_EQ(missing.error().fault, base::Fault::unavailable);
  });
}

TEST_F(NameLookup, takes_an_address_in_figures_as_it_is) {
  play(loop, []() -> base::Async<> {
    for (std::string const literal : {"192.0.2.7", "2001:db8::7"}) {
      auto const found = co_await net::look_up(literal);
      EXPECT_TRUE(found && found->size() == 1 && found->front().to_string() == literal) << literal;
    }
  });
}

TEST_F(NameLookup, that_hangs_holds_up_neither_its_own_deadline_nor_other_names_nor_the_end_of_the_loop) {
  NameService::get().hold();
  {
    asio::io_context own_loop{1};
    play(own_loop, []() -> base::Async<> {
      auto const tls = net::make_tls_client();
      auto const url = net::parse_url("ws://slow.test:1/");
      auto const connected = co_await net::connect_websocket(*url, {}, {}, *tls, 50ms);
      EXPECT_FALSE(connected);
      if (!connected) EXPECT_EQ(connected.error().fault, base::Fault::timed_out);
      auto const other = co_await net::look_up("good.test");
      EXPECT_TRUE(other);
    });
    EXPECT_TRUE(NameService::get().comes_to_hold(1));
  }
}

TEST_F(NameLookup, waits_its_turn_when_every_thread_hangs_and_is_answered_then) {
  NameService::get().hold();
  constexpr std::size_t many = 40;
  std::size_t answered = 0;
  for (std::size_t i = 0; i < many; ++i) {
    asio::co_spawn(
        loop,
        [&answered]() -> base::Async<> {
          auto const found = co_await net::look_up("slow.test");
          if (found) ++answered;
        },
        asio::detached);
  }
  loop.poll();
  EXPECT_TRUE(NameService::get().comes_to_hold(16));
  EXPECT_EQ(answered, 0U);
  NameService::get().open();
  loop.run_for(10s);
  EXPECT_EQ(answered, many);
}

TEST_F(NameLookup, given_up_before_its_turn_is_not_made) {
  NameService::get().hold();
  auto const asked_before = NameService::get().asked();
  {
    asio::io_context short_lived{1};
    for (int i = 0; i < 20; ++i) {
      asio::co_spawn(short_lived, []() -> base::Async<> { (void)co_await net::look_up("slow.test"); }, asio::detached);
    }
    short_lived.poll();
    EXPECT_TRUE(NameService::get().comes_to_hold(16));
  }
  NameService::get().open();
  play(loop, []() -> base::Async<> {
    auto const found = co_await net::look_up("good.test");
    EXPECT_TRUE(found);
  });
  EXPECT_EQ(NameService::get().asked() - asked_before, 16U);
}

TEST_F(NameLookup, that_hangs_costs_an_http_request_its_own_time_only) {
  NameService::get().hold();
  auto client = std::make_unique<net::HttpClient>();
  play(loop, [&]() -> base::Async<> {
    net::HttpCall slow;
    slow.url = "http://slow.test:1/";
    slow.timeout = 100ms;
    auto const late = co_await client->send(std::move(slow));
    EXPECT_FALSE(late);
    if (!late) EXPECT_EQ(late.error().fault, base::Fault::timed_out);
    net::HttpCall other;
    other.url = "http://127.0.0.1:1/";
    other.timeout = 5s;
    auto const refused = co_await client->send(std::move(other));
    EXPECT_FALSE(refused);
    if (!refused) EXPECT_EQ(refused.error().fault, base::Fault::unavailable);
  });
  EXPECT_TRUE(NameService::get().comes_to_hold(1));
  client.reset();
}

}  // namespace
