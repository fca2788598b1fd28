#pragma once
// The judge: from what was seen outside it works out what must be true inside. No clock, no socket, no database.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "loadtest/chaos/history.h"

namespace sim::chaos {

/// What the gateway's database holds in the end.
struct Found {
  struct Call {
    std::string call_sid;
    std::string status;
    bool is_terminal = false;
    std::int64_t outcomes = 0;
    std::int64_t endings_told = 0;  ///< Rows of the outbox that tell of its end.
    std::string id{};               ///< Ours.
  };
  struct Appointment {
    std::string id;
    std::string calendar;  ///< Of which tenant, too.
    std::int64_t starts_ms = 0;
    std::int64_t ends_ms = 0;
    bool stands = false;
  };
  struct Told {  ///< A row of the outbox.
    std::string id;
    std::string target;  ///< "integration" or "sms".
    std::string event;
    std::string status;
  };
  struct Message {
    std::string id;
    std::string carrier_sid;    ///< Empty: not sent yet.
    std::string subject;        ///< As Entry::subject.
    std::string appointment{};  ///< That it confirms; may be empty.
  };
  std::vector<Call> calls;
  std::vector<Appointment> appointments;
  std::vector<Told> outbox;
  std::vector<Message> messages;             ///< Outbound ones.
  std::optional<std::int64_t> in_journal{};  ///< Records that still wait; not looked at while the run goes on.
};

/// What this gateway has promised to do with a call that has ended.
struct Promises {
  bool outcomes = true;           ///< An outcome for each.
  std::int64_t integrations = 0;  ///< So many systems hear of each.
};

struct Finding {
  enum class Kind { lost, doubled };  ///< `doubled`: also what is there although nobody asked for it.
  Kind kind = Kind::lost;
  std::size_t cycle = 0;  ///< 0: of no single cycle.
  std::string what;       ///< A sentence with ids, for people.
  bool operator==(Finding const&) const = default;
};

struct Verdict {
  std::vector<Finding> findings;
  std::vector<std::int64_t> repeats;  ///< For each cycle from 1: deliveries of something already delivered. Allowed.

  bool clean() const { return findings.empty(); }
  std::int64_t count(Finding::Kind kind, std::size_t cycle) const;
  std::int64_t count(Finding::Kind kind) const;
};

Verdict check(std::vector<Entry> const& history, Found const& found, Promises const& promises);

}  // namespace sim::chaos
