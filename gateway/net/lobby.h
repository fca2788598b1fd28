#pragma once
#include <boost/intrusive/list.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "gateway/base/metrics.h"

namespace net {

struct LobbyLimits {
  std::size_t guests = 20000;
  std::size_t guests_of_address = 20000;
};

/// The connections of one core that have proved nothing yet. When there are too many, the one that has been here
/// longest is shown out: an honest peer proves itself within a round trip, so the oldest is the least likely to be one,
/// and a newcomer is never turned away. Lives on one thread.
class Lobby {
 public:
  /// One such connection, from construction until it leaves. Lives no longer than the lobby.
  class Guest {
   public:
    /// `peer` is its address; `show_out` drops the connection, and is called once at most, when it is in the lobby.
    Guest(Lobby& lobby, std::string_view peer, std::function<void()> show_out);
    ~Guest() { leave(); }
    Guest(Guest const&) = delete;
    Guest& operator=(Guest const&) = delete;

    /// It has proved itself, or is being served. Idempotent.
    void leave();
    /// It is here again, as the newest.
    void come_back();

   private:
    friend class Lobby;
    Lobby& lobby_;
    std::string address_;
    std::function<void()> show_out_;
    boost::intrusive::list_member_hook<> in_all_;
    boost::intrusive::list_member_hook<> in_address_;
  };

  Lobby(LobbyLimits limits, base::Metrics& metrics);
  Lobby(Lobby const&) = delete;
  Lobby& operator=(Lobby const&) = delete;

  std::size_t size() const { return all_.size(); }

 private:
  using All = boost::intrusive::list<
      Guest, boost::intrusive::member_hook<Guest, boost::intrusive::list_member_hook<>, &Guest::in_all_>>;
  using OfAddress = boost::intrusive::list<
      Guest, boost::intrusive::member_hook<Guest, boost::intrusive::list_member_hook<>, &Guest::in_address_>>;

  void enter(Guest& guest);
  void leave(Guest& guest);
  void show_out(Guest& guest, prometheus::Counter& counter);

  LobbyLimits limits_;
  prometheus::Gauge& present_;
  prometheus::Counter& dropped_for_all_;
  prometheus::Counter& dropped_for_address_;
  All all_;  // oldest first
  std::unordered_map<std::string, OfAddress> by_address_;
};

}  // namespace net
