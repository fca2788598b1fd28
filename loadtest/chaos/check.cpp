#include "loadtest/chaos/check.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace sim::chaos {
namespace {

using What = Entry::What;
using Kind = Finding::Kind;

/// A call as the carrier knows it.
struct Seen {
  std::size_t cycle = 0;
  bool taken = false;
  bool ended = false;
};

class Judge {
 public:
  Judge(std::vector<Entry> const& history, Found const& found, Promises const& promises)
      : history_{history}, found_{found}, promises_{promises} {
    for (auto const& entry : history_) read(entry);
  }

  Verdict judge() {
    judge_calls();
    judge_bookings();
    judge_overlaps();
    judge_deliveries();
    judge_messages();
    if (found_.in_journal.value_or(0) > 0)
      lost(0, std::to_string(*found_.in_journal) + " records are still in the journal");
    return std::move(verdict_);
  }

 private:
  void lost(std::size_t cycle, std::string what) { verdict_.findings.push_back({Kind::lost, cycle, std::move(what)}); }
  void doubled(std::size_t cycle, std::string what) {
    verdict_.findings.push_back({Kind::doubled, cycle, std::move(what)});
  }

  void read(Entry const& entry) {
    if (verdict_.repeats.size() < entry.cycle) verdict_.repeats.resize(entry.cycle);
    switch (entry.what) {
      case What::call_placed:
        calls_[entry.id].cycle = entry.cycle;
        break;
      case What::call_taken:
        calls_[entry.id].taken = true;
        break;
      case What::call_ended:
        calls_[entry.id].ended = true;
        break;
      case What::booking_asked:
        ++asked_;
        break;
      case What::booked:
        booked_.emplace(entry.id, entry.cycle);
        break;
      case What::delivered:
        if (!delivered_.emplace(entry.id, &entry).second && entry.cycle > 0) ++verdict_.repeats[entry.cycle - 1];
        break;
      case What::sms_accepted:
        sms_.push_back(&entry);
        break;
      case What::call_hung_up:
      case What::outcome_seen:
      case What::fault_began:
      case What::fault_over:
        break;
    }
  }

  void judge_calls() {
    std::map<std::string, std::vector<Found::Call const*>> rows;
    for (auto const& row : found_.calls) rows[row.call_sid].push_back(&row);
    for (auto const& [sid, seen] : calls_) {
      if (!seen.ended) continue;
      auto const here = rows.find(sid);
      if (here == rows.end()) {
        // Who never got a stream was refused, or rang at a house on fire: the carrier keeps that call, not we.
        if (seen.taken) lost(seen.cycle, "call " + sid + " has no record");
        continue;
      }
      if (here->second.size() > 1) doubled(seen.cycle, "call " + sid + " has several records");
      judge_call(seen, *here->second.front());
    }
    for (auto const& [sid, all] : rows)
      if (!calls_.contains(sid)) doubled(0, "call " + sid + " has a record and was never placed");
  }

  void judge_call(Seen const& seen, Found::Call const& row) {
    if (!row.is_terminal) {
      lost(seen.cycle, "the end of call " + row.call_sid + " is not known: " + row.status);
      return;
    }
    if (promises_.outcomes && row.outcomes == 0) lost(seen.cycle, "call " + row.call_sid + " has no outcome");
    if (row.outcomes > 1) doubled(seen.cycle, "call " + row.call_sid + " has several outcomes");
    if (row.endings_told < promises_.integrations)
      lost(seen.cycle, "nobody is to hear of the end of call " + row.call_sid);
    if (row.endings_told > promises_.integrations)
      doubled(seen.cycle, "the end of call " + row.call_sid + " is to be told more than once");
  }

  void judge_bookings() {
    std::map<std::string, std::int64_t> standing;
    for (auto const& row : found_.appointments)
      if (row.stands) ++standing[row.id];
    for (auto const& [id, cycle] : booked_) {
      auto const here = standing.find(id);
      if (here == standing.end()) lost(cycle, "appointment " + id + " was confirmed and does not stand");
      if (here != standing.end() && here->second > 1) doubled(cycle, "appointment " + id + " stands several times");
    }
    // An answer may be lost on its way, so there may be more than were confirmed, but not more than were asked for.
    if (static_cast<std::int64_t>(standing.size()) > asked_)
      doubled(0, std::to_string(standing.size()) + " appointments stand of " + std::to_string(asked_) + " asked for");
  }

  void judge_overlaps() {
    std::vector<Found::Appointment const*> standing;
    for (auto const& row : found_.appointments)
      if (row.stands) standing.push_back(&row);
    std::ranges::sort(standing, {}, [](auto const* row) { return std::tuple{row->calendar, row->starts_ms, row->id}; });
    for (std::size_t i = 1; i < standing.size(); ++i) {
      auto const& earlier = *standing[i - 1];
      auto const& later = *standing[i];
      if (earlier.calendar != later.calendar || later.starts_ms >= earlier.ends_ms || earlier.id == later.id) continue;
      auto const known = booked_.find(later.id);
      doubled(known == booked_.end() ? 0 : known->second, "appointments " + earlier.id + " and " + later.id +
                                                              " overlap, from " + std::to_string(earlier.starts_ms) +
                                                              " and from " + std::to_string(later.starts_ms) + " ms");
    }
  }

  void judge_deliveries() {
    std::map<std::string, Found::Told const*> rows;
    for (auto const& row : found_.outbox)
      if (row.target == "integration") rows.emplace(row.id, &row);
    for (auto const& [id, row] : rows) {
      auto const here = delivered_.find(id);
      auto const cycle = here == delivered_.end() ? 0 : here->second->cycle;
      if (row->status != "done") lost(cycle, "outbox row " + id + " (" + row->event + ") is " + row->status);
      if (row->status == "done" && here == delivered_.end())
        lost(cycle, "outbox row " + id + " (" + row->event + ") is done and nobody was told");
    }
    std::map<std::string, std::string> subjects;
    for (auto const& [id, entry] : delivered_) {
      if (!rows.contains(id)) doubled(entry->cycle, "delivery " + id + " is in no outbox");
      if (entry->subject.empty()) continue;
      auto const [first, is_new] = subjects.emplace(entry->subject, id);
      if (!is_new) doubled(entry->cycle, "\"" + entry->subject + "\" was told as " + first->second + " and as " + id);
    }
  }

  void judge_messages() {
    std::map<std::string, std::int64_t> balance;  // sent by the carrier, less what we wanted sent
    for (auto const* entry : sms_) ++balance[entry->subject];
    for (auto const& row : found_.messages) --balance[row.subject];
    for (auto const& row : found_.outbox)
      if (row.target == "sms" && row.status != "done") lost(0, "outbox row " + row.id + " (sms) is " + row.status);
    for (auto const& row : found_.messages) {
      auto& surplus = balance[row.subject];
      if (surplus >= 0) continue;
      lost(0, "message " + row.id + " was never sent");
      ++surplus;
    }
    for (auto const* entry : sms_) {
      auto& surplus = balance[entry->subject];
      if (surplus <= 0) continue;
      doubled(entry->cycle, "a text message was sent " + std::to_string(surplus) + " times too often");
      surplus = 0;
    }
  }

  std::vector<Entry> const& history_;
  Found const& found_;
  Promises const& promises_;
  Verdict verdict_;
  std::map<std::string, Seen> calls_;
  std::map<std::string, std::size_t> booked_;
  std::map<std::string, Entry const*> delivered_;
  std::vector<Entry const*> sms_;
  std::int64_t asked_ = 0;
};

}  // namespace

std::int64_t Verdict::count(Finding::Kind kind, std::size_t cycle) const {
  return std::ranges::count_if(findings, [&](Finding const& each) { return each.kind == kind && each.cycle == cycle; });
}

std::int64_t Verdict::count(Finding::Kind kind) const {
  return std::ranges::count(findings, kind, &Finding::kind);
}

Verdict check(std::vector<Entry> const& history, Found const& found, Promises const& promises) {
  return Judge{history, found, promises}.judge();
}

}  // namespace sim::chaos
