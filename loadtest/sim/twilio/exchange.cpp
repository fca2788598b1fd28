#include "loadtest/sim/twilio/exchange.h"

#include <fmt/format.h>

#include <ctime>

#include "gateway/base/ids.h"
#include "gateway/net/url.h"
#include "media/frame.h"

namespace sim::twilio {
namespace {

std::string_view origin_of(std::string_view url) {
  auto const scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  return url.substr(0, std::min(url.find_first_of("/?#", scheme + 3), url.size()));
}

/// Moves `url` from the place of `from` to that of `to` when it lies there; a ws scheme stays one.
std::string moved(std::string_view url, std::string_view from, std::string_view to) {
  auto const here = net::parse_url(origin_of(url));
  auto const old_place = net::parse_url(origin_of(from));
  auto const new_place = net::parse_url(origin_of(to));
  if (!here || !old_place || !new_place) return std::string{url};
  bool const same = here->host == old_place->host && here->is_secure() == old_place->is_secure() &&
                    here->port_or_default() == old_place->port_or_default();
  if (!same) return std::string{url};
  bool const socket = here->scheme.starts_with("ws");
  auto const secure = new_place->is_secure();
  std::string const scheme = socket ? (secure ? "wss" : "ws") : (secure ? "https" : "http");
  return scheme + "://" + new_place->authority() + std::string{url.substr(origin_of(url).size())};
}

}  // namespace

std::string new_sid(std::string_view prefix) {
  std::array<std::uint8_t, 16> bytes{};
  base::fill_random(bytes);
  return std::string{prefix} + base::to_hex(bytes);
}

std::string rfc2822(base::TimeSource::Wall when) {
  static constexpr char const* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr char const* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::time_t const time = std::chrono::system_clock::to_time_t(when);
  std::tm utc{};
  gmtime_r(&time, &utc);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} +0000", days[utc.tm_wday], utc.tm_mday, months[utc.tm_mon],
                     utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

std::string resolve_url(std::string_view base, std::string_view reference) {
  if (reference.empty()) return std::string{base};
  if (reference.find("://") != std::string_view::npos) return std::string{reference};
  std::string const origin{origin_of(base)};
  if (reference.front() == '/') return origin + std::string{reference};
  auto const path = base.substr(origin.size(), base.find_first_of("?#", origin.size()) - origin.size());
  auto const slash = path.rfind('/');
  return origin + std::string{slash == std::string_view::npos ? "/" : path.substr(0, slash + 1)} +
         std::string{reference};
}

std::string reachable_url(CallPlan const& plan, std::string_view url) {
  return plan.public_base.empty() ? std::string{url} : moved(url, plan.public_base, plan.voice_url);
}

std::string public_url(CallPlan const& plan, std::string_view url) {
  return plan.public_base.empty() ? std::string{url} : moved(url, plan.voice_url, plan.public_base);
}

void Journal::note(EventKind kind, std::string detail, double ms) {
  Event event{std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began_), kind, std::move(detail),
              ms};
  if (listener_) listener_(call_sid_, event);
  result_.events.push_back(std::move(event));
}

void Journal::violate(int code, std::string what) {
  note(EventKind::violation, fmt::format("{} {}", code, what));
  result_.violations.push_back({code, std::move(what)});
}

void Journal::heard(Clock::time_point when, std::span<std::uint8_t const> mulaw) {
  auto const micros = std::chrono::duration_cast<std::chrono::microseconds>(when - began_).count();
  auto const at = static_cast<std::size_t>(std::max<std::int64_t>(micros, 0) * media::telephone_rate / 1'000'000);
  auto& ear = result_.heard;
  if (ear.size() < at + mulaw.size()) ear.resize(at + mulaw.size(), media::mulaw_silence);
  std::copy(mulaw.begin(), mulaw.end(), ear.begin() + static_cast<std::ptrdiff_t>(at));
}

}  // namespace sim::twilio
