#include "gateway/net/lobby.h"

#include <boost/asio/ip/address.hpp>

#include "gateway/base/async.h"

namespace net {
namespace {

/// The bytes that count as one address: all of an IPv4 address; of an IPv6 one the first half, since whoever has one
/// address has the other 2^64 of its network too.
std::string address_of(std::string_view peer) {
  boost::system::error_code error;
  auto const address = asio::ip::make_address(peer, error);
  if (error) return {};
  auto const bytes_of = [](auto const& bytes, std::size_t count) {
    return std::string{reinterpret_cast<char const*>(bytes.data()), count};
  };
  if (address.is_v4()) return bytes_of(address.to_v4().to_bytes(), 4);
  auto const v6 = address.to_v6();
  if (v6.is_v4_mapped()) return bytes_of(asio::ip::make_address_v4(asio::ip::v4_mapped, v6).to_bytes(), 4);
  return bytes_of(v6.to_bytes(), 8);
}

}  // namespace

Lobby::Guest::Guest(Lobby& lobby, std::string_view peer, std::function<void()> show_out)
    : lobby_{lobby}, address_{address_of(peer)}, show_out_{std::move(show_out)} {
  lobby_.enter(*this);
}

void Lobby::Guest::leave() {
  if (in_all_.is_linked()) lobby_.leave(*this);
}

void Lobby::Guest::come_back() {
  leave();
  lobby_.enter(*this);
}

Lobby::Lobby(LobbyLimits limits, base::Metrics& metrics)
    : limits_{limits},
      present_{metrics.gauge("switchboard_unproven_connections", "Connections that have proved nothing yet.")},
      dropped_for_all_{metrics.counter("switchboard_unproven_connections_dropped_total",
                                       "Oldest unproven connections dropped for newer ones.", {{"of", "all"}})},
      dropped_for_address_{metrics.counter("switchboard_unproven_connections_dropped_total",
                                           "Oldest unproven connections dropped for newer ones.",
                                           {{"of", "address"}})} {}

void Lobby::enter(Guest& guest) {
  auto& neighbours = by_address_[guest.address_];
  if (neighbours.size() >= limits_.guests_of_address)
    show_out(neighbours.front(), dropped_for_address_);
  else if (all_.size() >= limits_.guests)
    show_out(all_.front(), dropped_for_all_);
  all_.push_back(guest);
  by_address_[guest.address_].push_back(guest);
  present_.Increment();
}

void Lobby::leave(Guest& guest) {
  all_.erase(All::s_iterator_to(guest));
  auto const found = by_address_.find(guest.address_);
  found->second.erase(OfAddress::s_iterator_to(guest));
  if (found->second.empty()) by_address_.erase(found);
  present_.Decrement();
}

void Lobby::show_out(Guest& guest, prometheus::Counter& counter) {
  leave(guest);
  counter.Increment();
  guest.show_out_();
}

}  // namespace net
