#include "loadtest/chaos/outcome_watch.h"

#include <poll.h>

#include <chrono>

namespace sim::chaos {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds every{50};

// Only what is new, so that many calls do not make the look itself slow. Their time is the beginning of the
// transaction that settles them.
constexpr char const* fresh_outcomes =
    "select 'looking' union all select c.call_sid from call_outcomes o "
    "join calls c on c.tenant_id = o.tenant_id and c.id = o.call_id where o.created_at > now() - interval '10 s'";

}  // namespace

OutcomeWatch::OutcomeWatch(Gateway const& gateway, History& history) : gateway_{gateway}, history_{history} {
  thread_ = std::thread{[this] { look(); }};
}

OutcomeWatch::~OutcomeWatch() {
  stopping_.store(true, std::memory_order_release);
  thread_.join();
}

void OutcomeWatch::look() {
  std::unique_ptr<demo::Child> psql;
  while (!stopping_.load(std::memory_order_acquire)) {
    if (psql && psql->is_running()) {
      note(psql->read_line(every));
      continue;
    }
    ::poll(nullptr, 0, static_cast<int>(every.count()));  // a server that is being started refuses at once
    psql = gateway_.watch(fresh_outcomes, every);
  }
}

void OutcomeWatch::note(std::string const& line) {
  if (line.empty()) return;
  if (line == "looking")
    looking_.store(true, std::memory_order_release);
  else if (seen_.insert(line).second)
    history_.add(Entry::What::outcome_seen, line);
}

}  // namespace sim::chaos
