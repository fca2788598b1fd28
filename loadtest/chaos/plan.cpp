#include "loadtest/chaos/plan.h"

#include <algorithm>
#include <array>

namespace sim::chaos {
namespace {

struct Name {
  FaultKind kind;
  std::string_view word;
};
constexpr std::array names{Name{FaultKind::kill, "kill"},         Name{FaultKind::pg_stop, "pg_stop"},
                           Name{FaultKind::pg_pause, "pg_pause"}, Name{FaultKind::journal_full, "journal_full"},
                           Name{FaultKind::target, "target"},     Name{FaultKind::agent, "agent"},
                           Name{FaultKind::pg_away, "pg_away"}};

/// SplitMix64: the standard's distributions differ from library to library, and a seed must mean the same everywhere.
class Dice {
 public:
  Dice(std::uint64_t seed, std::uint64_t cycle) : state_{seed + cycle * 0x9E3779B97F4A7C15ULL} { (void)next(); }

  std::uint64_t below(std::uint64_t limit) { return next() % limit; }
  milliseconds between(milliseconds low, milliseconds high) {
    return low + milliseconds{below(static_cast<std::uint64_t>((high - low).count()))};
  }

 private:
  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15ULL;
    auto mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ULL;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBULL;
    return mixed ^ (mixed >> 31);
  }
  std::uint64_t state_;
};

// Calls are short and overlap; faults fall into the time in which they begin, talk and end.
constexpr milliseconds calls_begin_within{900};
constexpr milliseconds shortest_talk{200};
constexpr milliseconds longest_talk{2000};
constexpr milliseconds first_fault{100};
constexpr milliseconds last_fault{1600};
constexpr milliseconds shortest_fault{100};
constexpr milliseconds longest_fault{900};
constexpr std::uint64_t most_faults = 3;
constexpr std::uint64_t offered = 3;

// Long calls, as many as wanted at once: new ones come slowly enough for people to answer, and hang-ups are spread.
constexpr milliseconds shortest_long_talk{15'000};
constexpr milliseconds longest_long_talk{45'000};
constexpr milliseconds ramp_of_a_call{20};
constexpr milliseconds between_callers{200};
constexpr milliseconds before_outage{3'000};

PlannedCall make_call(Dice& dice, milliseconds at, milliseconds talks_for) {
  PlannedCall call;
  call.at = at;
  call.talks_for = talks_for;
  call.slot = dice.below(offered);
  // 555-0100 to 555-0199 belong to nobody, in every area.
  call.from = "+1" + std::to_string(201 + dice.below(700)) + "55501" + std::to_string(10 + dice.below(90));
  return call;
}

PlannedCall make_call(Dice& dice) {
  auto const at = dice.between(milliseconds{0}, calls_begin_within);
  auto const talks_for = dice.between(shortest_talk, longest_talk);
  return make_call(dice, at, talks_for);
}

PlannedCall make_long_call(Dice& dice, milliseconds at, milliseconds talks_for) {
  auto call = make_call(dice, at, talks_for);
  call.keeps_talking = true;
  return call;
}

PlannedFault make_fault(Dice& dice, FaultKind kind) {
  PlannedFault fault;
  fault.kind = kind;
  fault.at = dice.between(first_fault, last_fault);
  fault.lasts = dice.between(shortest_fault, longest_fault);
  fault.variant = static_cast<std::uint32_t>(dice.below(1000));
  return fault;
}

}  // namespace

std::string_view to_string(FaultKind kind) {
  return std::ranges::find(names, kind, &Name::kind)->word;
}

std::vector<FaultKind> all_faults() {
  std::vector<FaultKind> all;
  for (auto const& name : names)
    if (name.kind != FaultKind::pg_away) all.push_back(name.kind);
  return all;
}

base::Result<std::vector<FaultKind>> parse_faults(std::string_view list) {
  std::vector<FaultKind> found;
  while (!list.empty()) {
    auto const comma = list.find(',');
    auto const word = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    auto const name = std::ranges::find(names, word, &Name::word);
    if (name == names.end()) return base::fail(base::Fault::protocol, "there is no fault " + std::string{word});
    if (std::ranges::find(found, name->kind) == found.end()) found.push_back(name->kind);
  }
  return found;
}

std::vector<PlannedCycle> make_plan(PlanSettings const& settings) {
  std::vector<PlannedCycle> plan(settings.cycles);
  for (std::size_t i = 0; i < plan.size(); ++i) {
    Dice dice{settings.seed, i};
    auto& cycle = plan[i];
    for (std::size_t call = 0; call < settings.calls; ++call) cycle.calls.push_back(make_call(dice));
    if (settings.faults.empty()) continue;
    // Every kind has its turn, with up to two others beside it.
    auto kinds = settings.faults;
    std::swap(kinds[0], kinds[i % kinds.size()]);
    auto const count = std::min<std::size_t>(kinds.size(), 1 + dice.below(most_faults));
    for (std::size_t f = 0; f < count; ++f) {
      if (f > 0) std::swap(kinds[f], kinds[f + dice.below(kinds.size() - f)]);
      cycle.faults.push_back(make_fault(dice, kinds[f]));
    }
    std::ranges::sort(cycle.faults, {}, [](PlannedFault const& fault) { return std::pair{fault.at, fault.kind}; });
  }
  return plan;
}

PlannedCycle steady_plan(std::uint64_t seed, std::size_t calls, milliseconds span) {
  Dice dice{seed, 0};
  auto const shortest = std::min(shortest_long_talk, span / 4);
  auto const longest = std::min(longest_long_talk, span / 2);
  PlannedCycle cycle;
  for (std::size_t line = 0; line < calls; ++line) {
    // The first callers are met somewhere in their calls, so that hang-ups are spread from the beginning.
    auto least = shortest / 4;
    for (auto at = ramp_of_a_call * static_cast<std::int64_t>(line); at < span; least = shortest) {
      auto const call = make_long_call(dice, at, dice.between(least, longest));
      at += call.talks_for + between_callers;
      cycle.calls.push_back(call);
    }
  }
  return cycle;
}

PlannedCycle outage_plan(std::uint64_t seed, std::size_t calls, milliseconds span) {
  Dice dice{seed, 0};
  PlannedCycle cycle;
  auto const begins = ramp_of_a_call * static_cast<std::int64_t>(calls) + before_outage;
  auto const ends = begins + span;
  auto const ends_within = [&](milliseconds from) { return dice.between(from, ends - span / 10); };
  for (std::size_t i = 0; i < calls; ++i) {
    auto const at = ramp_of_a_call * static_cast<std::int64_t>(i);
    cycle.calls.push_back(make_long_call(dice, at, ends_within(begins + span / 10) - at));
  }
  for (std::size_t i = 0; i < calls / 10; ++i) {
    auto const at = dice.between(begins + span / 10, begins + span / 2);
    cycle.calls.push_back(make_long_call(dice, at, ends_within(at + span / 10) - at));
  }
  cycle.faults.push_back({FaultKind::pg_away, begins, span, 0});
  return cycle;
}

bool has_fault(std::vector<PlannedCycle> const& plan, FaultKind kind) {
  return std::ranges::any_of(plan, [kind](PlannedCycle const& cycle) {
    return std::ranges::find(cycle.faults, kind, &PlannedFault::kind) != cycle.faults.end();
  });
}

}  // namespace sim::chaos
