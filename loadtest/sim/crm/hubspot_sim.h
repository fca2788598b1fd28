#pragma once
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "loadtest/sim/crm/hubspot_store.h"
#include "loadtest/sim/crm/wire_server.h"

namespace sim::crm {

/// Something that goes wrong with a request.
struct HubSpotFault {
  enum class Kind {
    status,         ///< This status with HubSpot's body for it; nothing is done.
    cut_before,     ///< The connection is reset; nothing was done.
    cut_after,      ///< It is done, then the connection is reset after `bytes` of the answer.
    truncated,      ///< It is done, and answered with half of the JSON.
    html,           ///< It is done, and answered with a page.
    slow,           ///< It is done, and answered after `delay`.
    expired_token,  ///< 401 EXPIRED_AUTHENTICATION.
  };
  Kind kind = Kind::status;
  unsigned status = 500;
  std::string policy = "TEN_SECONDLY_ROLLING";  ///< Of a 429: or SECONDLY, DAILY.
  std::size_t bytes = 0;
  std::chrono::milliseconds delay{0};
  std::string method;         ///< Empty: any.
  std::string path_contains;  ///< Empty: any.
  int times = 1;              ///< -1: for ever.
};

/// A HubSpot account as a real server on loopback: contacts, calls, meetings, notes, leads, their properties and links,
/// under the numbered and the dated paths alike. It checks as the real edge does: path, token, rate, scope, JSON,
/// rules. One thread.
class HubSpotSim {
 public:
  struct Token {
    std::set<std::string> scopes;
    std::optional<Wall> expires;
  };
  struct Options {
    std::map<std::string, Token> tokens{{"pat-na1-sim", {all_scopes(), {}}}};
    std::set<std::string> refresh_tokens{"refresh-sim"};
    std::size_t burst = 190;  ///< Requests in ten seconds a token.
    std::size_t searches_a_second = 5;
    std::size_t daily = 650'000;
    bool has_leads = true;
    std::uint64_t portal_id = 4711;
    std::chrono::minutes utc_offset{-300};
  };
  struct Seen {
    std::string method;
    std::string target;
    std::string authorization;
    std::string body;
    unsigned status = 0;  ///< What was meant to be answered.
  };

  HubSpotSim(asio::any_io_executor executor, base::TimeSource& time) : HubSpotSim{executor, time, Options{}} {}
  HubSpotSim(asio::any_io_executor executor, base::TimeSource& time, Options options);

  /// 0 takes a free port. Throws boost::system::system_error.
  std::uint16_t listen(std::uint16_t port = 0);
  base::Async<> serve() { return server_.serve(); }
  void stop() { server_.stop(); }
  base::Async<> drain(base::TimeSource::Clock::duration grace) { return server_.drain(grace); }
  std::string base_url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  HubSpotStore& store() { return store_; }
  Options& options() { return options_; }
  /// The first fault that fits a request is used up by it.
  void fail(HubSpotFault fault) { faults_.push_back(std::move(fault)); }
  void clear_faults() { faults_.clear(); }
  /// Asked for every request that no fault of fail() fits.
  std::function<std::optional<HubSpotFault>(net::Request const&)> on_request;
  std::function<void(Seen const&)> on_answer;
  /// The latest requests, oldest first.
  std::deque<Seen> const& seen() const { return seen_; }

  static std::set<std::string> all_scopes();

 private:
  struct Usage {
    std::deque<base::Instant> window;
    std::size_t today = 0;
    std::int64_t day = 0;
  };
  WireAnswer answer(net::Request const& request);
  std::optional<HubSpotFault> next_fault(net::Request const& request);
  net::Response judge(net::Request const& request);
  std::optional<net::Response> check_token(net::Request const& request, std::string& token);
  std::optional<net::Response> check_rate(std::string const& token, bool is_search);
  void add_rate_headers(std::string const& token, net::Response& response);
  net::Response token_answer(net::Request const& request);

  base::TimeSource& time_;
  Options options_;
  HubSpotStore store_;
  WireServer server_;
  std::deque<HubSpotFault> faults_;
  std::deque<Seen> seen_;
  std::map<std::string, Usage> usage_;
  std::deque<base::Instant> searches_;
  std::uint16_t port_ = 0;
};

}  // namespace sim::crm
