#include "gateway/descriptor_budget.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace gateway {
namespace {

constexpr std::size_t of_a_call = 3;      // the caller's socket, the agent's, a recording
constexpr std::size_t of_a_core = 12;     // event loop and poller, listener, database connections with a copy each
constexpr std::size_t of_a_process = 40;  // log, operations port, back office, outgoing HTTP
constexpr std::size_t fewest_sockets = 16;

std::size_t fixed(std::size_t cores) {
  return of_a_process + cores * of_a_core + descriptor_reserve;
}

}  // namespace

std::size_t descriptors_for(Room const& room, std::size_t cores) {
  return fixed(cores) + room.calls * of_a_call + room.sockets + room.unproven;
}

Room fit_into(std::size_t descriptors, Room const& wish, std::size_t cores) {
  auto const least = descriptors_for({1, fewest_sockets, fewest_sockets / 2}, cores);
  if (descriptors < least)
    throw std::runtime_error{
        fmt::format("the limit of {} open descriptors is too low to answer calls; allow {} (ulimit -n, or LimitNOFILE= "
                    "of the unit)",
                    descriptors, descriptors_for(wish, cores))};
  auto const left = descriptors - fixed(cores);
  Room room;
  room.calls = std::clamp<std::size_t>(left * 7 / 8 / of_a_call, 1, wish.calls);
  // A connection that has proved nothing may be upgraded to a media socket, and is then none of the listener's.
  auto const rest = left - room.calls * of_a_call;
  room.sockets = std::min(wish.sockets, rest * 2 / 3);
  room.unproven = std::min(wish.unproven, room.sockets / 2);
  return room;
}

}  // namespace gateway
