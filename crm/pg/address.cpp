#include "crm/pg/address.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <map>
#include <memory>
#include <string_view>

#include "gateway/net/name_lookup.h"

namespace crm::pg {
namespace {

using base::Async;
using base::fail;
using base::Fault;
using base::Result;
using Addresses = std::vector<std::string>;

struct Freed {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

std::vector<std::string> split(std::string const& list) {
  std::vector<std::string> parts{""};
  for (char const c : list) {
    if (c == ',')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

bool is_socket_folder(std::string const& host) {
  return host.starts_with('/') || host.starts_with('@');
}

Async<Addresses> look_up_until(std::string host, base::TimeSource& time, base::Instant deadline) {
  using namespace asio::experimental::awaitable_operators;
  Addresses addresses;
  auto const first = co_await (net::look_up(std::move(host)) || time.wait_until(deadline));
  if (first.index() == 1 || !std::get<0>(first)) co_return addresses;
  for (auto const& address : *std::get<0>(first)) addresses.push_back(address.to_string());
  co_return addresses;
}

void add(std::string& list, std::string const& entry, bool first) {
  if (!first) list += ',';
  list += entry;
}

}  // namespace

Address::Address(std::vector<std::pair<std::string, std::string>> settings) : settings_{std::move(settings)} {}

std::vector<char const*> Address::keywords() const {
  std::vector<char const*> result;
  for (auto const& setting : settings_) result.push_back(setting.first.c_str());
  result.push_back(nullptr);
  return result;
}

std::vector<char const*> Address::values() const {
  std::vector<char const*> result;
  for (auto const& setting : settings_) result.push_back(setting.second.c_str());
  result.push_back(nullptr);
  return result;
}

Async<Result<Address>> resolve(std::string conninfo, base::TimeSource& time, base::Instant deadline) {
  std::map<std::string, std::string> settings;
  {
    std::unique_ptr<PQconninfoOption, Freed> const options{PQconninfoParse(conninfo.c_str(), nullptr)};
    if (!options) co_return fail(Fault::refused, "DATABASE_URL is not a PostgreSQL connection string");
    for (auto const* option = options.get(); option->keyword != nullptr; ++option) {
      if (option->val != nullptr) settings[option->keyword] = option->val;
    }
  }
  bool const has_names = !settings["host"].empty() && settings["hostaddr"].empty();
  if (has_names) {
    // Every address becomes an entry of its own, so that libpq tries them in turn; the name stays for TLS.
    auto const names = split(settings["host"]);
    auto const ports = split(settings["port"]);
    std::string hosts, addresses, port_list;
    bool first = true;
    for (std::size_t i = 0; i < names.size(); ++i) {
      auto const& port = ports.size() == 1 ? ports[0] : ports[std::min(i, ports.size() - 1)];
      Addresses found;
      if (is_socket_folder(names[i]))
        found.emplace_back();
      else
        found = co_await look_up_until(names[i], time, deadline);
      for (auto const& address : found) {
        add(hosts, names[i], first);
        add(addresses, address, first);
        add(port_list, port, first);
        first = false;
      }
    }
    if (first) co_return fail(Fault::unavailable, "the database's host name has no address");
    settings["host"] = hosts;
    settings["hostaddr"] = addresses;
    settings["port"] = port_list;
  }
  std::vector<std::pair<std::string, std::string>> list;
  for (auto& [key, value] : settings) {
    if (!value.empty()) list.emplace_back(key, std::move(value));
  }
  co_return Address{std::move(list)};
}

}  // namespace crm::pg
