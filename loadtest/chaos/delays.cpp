#include "loadtest/chaos/delays.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace sim::chaos {
namespace {

using What = Entry::What;

using Moments = std::map<std::string, Entry const*>;  // by id or subject; the first

struct Samples {
  std::vector<std::int64_t> outcome;
  std::vector<std::int64_t> told;
  std::vector<std::int64_t> texted;
  std::int64_t never_seen = 0;

  Delays summed_up() && {
    return {delay_of(std::move(outcome)), delay_of(std::move(told)), delay_of(std::move(texted)), never_seen};
  }
};

class Stopwatch {
 public:
  explicit Stopwatch(std::vector<Entry> const& history) {
    for (auto const& entry : history) read(entry);
  }

  DelayReport measure(Found const& found) {
    for (auto const& call : found.calls) measure(call);
    for (auto const& message : found.messages) measure(message);
    return {std::move(undisturbed_).summed_up(), std::move(disturbed_).summed_up()};
  }

 private:
  void read(Entry const& entry) {
    if (entry.what == What::call_hung_up) hung_up_.emplace(entry.id, &entry);
    if (entry.what == What::outcome_seen) outcomes_.emplace(entry.id, &entry);
    if (entry.what == What::delivered) told_.emplace(entry.subject, &entry);
    if (entry.what == What::booked) booked_.emplace(entry.id, &entry);
    if (entry.what == What::sms_accepted) texts_.emplace(entry.id, &entry);
    if (entry.what == What::fault_began) disturbed_cycles_.insert(entry.cycle);
  }

  Samples& samples_of(Entry const& entry) {
    return disturbed_cycles_.contains(entry.cycle) ? disturbed_ : undisturbed_;
  }

  static std::optional<std::int64_t> between(Entry const& from, Moments const& moments, std::string const& which) {
    auto const to = moments.find(which);
    if (to == moments.end()) return std::nullopt;
    return to->second->at_ms - from.at_ms;
  }

  void measure(Found::Call const& call) {
    auto const here = hung_up_.find(call.call_sid);
    if (here == hung_up_.end()) return;
    auto& samples = samples_of(*here->second);
    auto const outcome = between(*here->second, outcomes_, call.call_sid);
    if (outcome) samples.outcome.push_back(*outcome);
    if (!outcome && call.outcomes > 0) ++samples.never_seen;
    if (auto const told = between(*here->second, told_, "call.ended " + call.id)) samples.told.push_back(*told);
  }

  void measure(Found::Message const& message) {
    auto const here = booked_.find(message.appointment);
    if (here == booked_.end()) return;
    auto const texted = between(*here->second, texts_, message.carrier_sid);
    // The carrier may be quicker than the answer to the agent.
    if (texted) samples_of(*here->second).texted.push_back(std::max<std::int64_t>(*texted, 0));
  }

  Moments hung_up_;
  Moments outcomes_;
  Moments told_;
  Moments booked_;
  Moments texts_;
  std::set<std::size_t> disturbed_cycles_;
  Samples undisturbed_;
  Samples disturbed_;
};

}  // namespace

Delay delay_of(std::vector<std::int64_t> samples) {
  if (samples.empty()) return {};
  std::ranges::sort(samples);
  auto const count = samples.size();
  auto const at = [&](std::size_t percent) { return samples[(count * percent + 99) / 100 - 1]; };
  return {static_cast<std::int64_t>(count), at(50), at(95), at(99), samples.back()};
}

DelayReport measure_delays(std::vector<Entry> const& history, Found const& found) {
  return Stopwatch{history}.measure(found);
}

std::int64_t most_at_once(std::vector<Entry> const& history) {
  std::set<std::string> open;
  std::size_t most = 0;
  for (auto const& entry : history) {
    if (entry.what == What::call_taken) open.insert(entry.id);
    if (entry.what == What::call_hung_up) open.erase(entry.id);
    most = std::max(most, open.size());
  }
  return static_cast<std::int64_t>(most);
}

}  // namespace sim::chaos
