#include "loadtest/chaos/run.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>

#include "gateway/base/ids.h"
#include "loadtest/chaos/business.h"
#include "loadtest/chaos/folder.h"
#include "loadtest/chaos/gateway.h"
#include "loadtest/chaos/history.h"
#include "loadtest/chaos/ledgers.h"
#include "loadtest/chaos/outcome_watch.h"
#include "loadtest/chaos/outside.h"
#include "loadtest/chaos/small_disk.h"

namespace sim::chaos {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using What = Entry::What;
using std::chrono::seconds;

constexpr milliseconds glance{50};
constexpr seconds start_patience{90};
constexpr int most_starts = 20;  // that fail, in a whole run

Gateway::Settings gateway_settings(RunSettings const& settings, fs::path const& folder, Outside const& outside) {
  std::array<std::uint8_t, 32> key{};
  base::fill_random(key);
  return {settings.switchboard,
          folder,
          {{"TWILIO_ACCOUNT_SID", outside.account().sid},
           {"TWILIO_AUTH_TOKEN", std::string{outside.account().auth_token.reveal()}},
           {"TWILIO_API_BASE_URL", outside.carrier_url()},
           {"ELEVENLABS_API_KEY", api_key},
           {"ELEVENLABS_API_BASE_URL", outside.agents_url()},
           {"INTEGRATION_ENCRYPTION_KEY", base::to_hex(key)},
           {"SWITCHBOARD_EGRESS_ALLOW", "127.0.0.0/8"},
           {"SWITCHBOARD_EGRESS_PORTS", outside.webhook_port()}},
          has_fault(settings.plan, FaultKind::pg_away)};
}

class Run {
 public:
  Run(RunSettings const& settings, Quit const& quit, std::function<void(std::string const&)> const& on_notice)
      : settings_{settings},
        quit_{quit},
        on_notice_{on_notice},
        folder_{settings.data},
        disk_{small_disk()},
        history_{settings.history},
        outside_{history_},
        gateway_{gateway_settings(settings, folder_.path(), outside_)} {}

  RunReport go(std::function<void(CycleReport const&)> const& on_cycle) {
    auto const began = Clock::now();
    report_.seed = settings_.seed;
    open_business();
    auto const& plan = settings_.plan;
    for (std::size_t i = 0; i < plan.size(); ++i) {
      history_.begin_cycle(i + 1);
      report_.cycles.push_back(cycle(i + 1, plan[i]));
      on_cycle(report_.cycles.back());
    }
    close_business();
    report_.seconds = std::chrono::duration<double>{Clock::now() - began}.count();
    if (!report_.clean()) {
      folder_.keep();
      on_notice_("the gateway's data and log are kept in " + folder_.path().string());
    }
    return std::move(report_);
  }

 private:
  std::unique_ptr<SmallDisk> small_disk() {
    if (!has_fault(settings_.plan, FaultKind::journal_full)) return {};
    auto disk = SmallDisk::mount(folder_.path() / "data" / "journal");
    if (!disk) on_notice_("journal_full is left out: mounting a small file system is not permitted here");
    return disk;
  }

  void open_business() {
    gateway_.start();
    await_ready(start_patience);
    if (make_business(gateway_, outside_, folder_.path()))
      report_.promises.integrations = 1;
    else
      on_notice_("this gateway tells nobody of events: only its own records are judged");
    for (auto const until = Clock::now() + seconds{10}; outside_.numbers_routed(gateway_.health_url()) == 0;) {
      if (Clock::now() > until) throw std::runtime_error{"the gateway did not learn its number"};
      quit_.wait(glance);
    }
    watch_.emplace(gateway_, history_);
    for (auto const until = Clock::now() + seconds{10}; !watch_->is_looking();) {
      if (Clock::now() > until) throw std::runtime_error{"psql does not answer; see psql.log beside the gateway's log"};
      quit_.wait(glance);
    }
  }

  /// As a supervisor does: whoever has ended is started again.
  void keep_running() {
    bool const was_ready = gateway_.is_ready();
    if (gateway_.is_running()) return;
    if (was_ready) report_.problems.push_back("the gateway ended by itself");
    if (++starts_ > most_starts) throw std::runtime_error{"the gateway does not start; see " + gateway_.log().string()};
    quit_.wait(glance);
    gateway_.start();
  }

  void await_ready(seconds patience) {
    for (auto const until = Clock::now() + patience; !gateway_.is_ready();) {
      keep_running();
      if (Clock::now() > until)
        throw std::runtime_error{"the gateway does not get ready; see " + gateway_.log().string()};
      quit_.wait(glance);
    }
  }

  CycleReport cycle(std::size_t number_of_cycle, PlannedCycle const& planned) {
    CycleReport report;
    report.cycle = number_of_cycle;
    report.calls = static_cast<std::int64_t>(planned.calls.size());
    std::multimap<milliseconds, std::function<void()>> actions;  // by when, since the cycle began
    for (auto const& call : planned.calls)
      actions.emplace(call.at, [this, &call] { outside_.place(call, gateway_.public_url()); });
    for (auto const& fault : planned.faults) {
      if (fault.kind == FaultKind::journal_full && !disk_) continue;
      report.faults.push_back(fault.kind);
      actions.emplace(fault.at, [this, fault] { begin(fault); });
      actions.emplace(fault.at + fault.lasts, [this, kind = fault.kind] { end(kind); });
    }
    auto const began = Clock::now();
    for (auto const& [at, act] : actions) {
      quit_.wait(std::chrono::duration_cast<milliseconds>(began + at - Clock::now()));
      act();
    }
    come_to_rest(report);
    return report;
  }

  void begin(PlannedFault const& fault) {
    history_.add(What::fault_began, {}, {}, std::string{to_string(fault.kind)});
    switch (fault.kind) {
      case FaultKind::kill:
        gateway_.kill();
        gateway_.start();
        break;
      case FaultKind::pg_stop:
        gateway_.stop_database();
        break;
      case FaultKind::pg_pause:
        gateway_.pause_database();
        break;
      case FaultKind::journal_full:
        disk_->fill();
        break;
      case FaultKind::target:
        outside_.trouble_target(fault.variant);
        break;
      case FaultKind::agent:
        outside_.drop_conversations();
        break;
      case FaultKind::pg_away:
        gateway_.take_database_away();
        break;
    }
  }

  void end(FaultKind kind) {
    if (kind == FaultKind::pg_pause) gateway_.resume_database();
    if (kind == FaultKind::journal_full) disk_->make_room();
    if (kind == FaultKind::pg_away) gateway_.let_database_start();
    bool const lasted = kind == FaultKind::pg_pause || kind == FaultKind::journal_full || kind == FaultKind::pg_away;
    if (lasted) history_.add(What::fault_over, {}, {}, std::string{to_string(kind)});
  }

  /// Waits until everything that was seen outside is where it belongs, and counts what is not.
  void come_to_rest(CycleReport& report) {
    auto const until = Clock::now() + settings_.patience;
    while (outside_.calls_under_way() > 0 && Clock::now() < until) quit_.wait(glance);
    if (outside_.calls_under_way() > 0) report_.problems.push_back("calls do not end");
    auto const quiet = Clock::now();
    for (;;) {
      keep_running();
      auto const fresh = look();
      if (fresh && count(*fresh, Finding::Kind::lost) == 0) {
        report.recovery_ms = std::chrono::duration_cast<milliseconds>(Clock::now() - quiet).count();
        note(report, *fresh);
        return;
      }
      if (Clock::now() > until) {
        note(report, fresh.value_or(std::vector{Finding{Finding::Kind::lost, report.cycle, "the database is away"}}));
        return;
      }
      quit_.wait(glance);
    }
  }

  /// What is wrong now and was not known to be; nothing while the gateway or its database is not there.
  std::optional<std::vector<Finding>> look(bool with_journal = false) {
    if (!gateway_.is_ready()) return std::nullopt;
    // What is delivered between the two looks would be in no outbox, and the other way round is waited for.
    outside_.write_down_what_was_told();
    auto found = read_database(gateway_);
    if (!found) return std::nullopt;
    if (with_journal) found->in_journal = count_journal(gateway_);
    auto const entries = history_.entries();
    verdict_ = check(entries, *found, report_.promises);
    report_.delays = measure_delays(entries, *found);
    std::vector<Finding> fresh;
    for (auto const& finding : verdict_.findings)
      if (!known_.contains(finding.what)) fresh.push_back(finding);
    return fresh;
  }

  static std::int64_t count(std::vector<Finding> const& findings, Finding::Kind kind) {
    return std::ranges::count(findings, kind, &Finding::kind);
  }

  void note(CycleReport& report, std::vector<Finding> const& fresh) {
    for (auto finding : fresh) {
      known_.insert(finding.what);
      if (finding.cycle == 0) finding.cycle = report.cycle;
      report_.findings.push_back(finding);
    }
    report.lost = count(fresh, Finding::Kind::lost);
    report.doubled = count(fresh, Finding::Kind::doubled);
    if (report.cycle <= verdict_.repeats.size()) report.repeats = verdict_.repeats[report.cycle - 1];
  }

  /// Whatever comes late is here by now; nothing may be left in the journal.
  void close_business() {
    auto const until = Clock::now() + settings_.patience;
    std::optional<std::vector<Finding>> last;
    while (!(last = look(/*with_journal=*/true)) || !last->empty()) {
      if (Clock::now() > until) break;
      quit_.wait(glance);
    }
    // What the judge saw first, the watch sees within its pause.
    for (int looks = 0; looks < 20 && report_.delays.undisturbed.never_seen > 0; ++looks) {
      quit_.wait(glance);
      (void)look();
    }
    if (last) report_.findings.insert(report_.findings.end(), last->begin(), last->end());
    auto const entries = history_.entries();
    std::set<std::string> delivered;
    for (auto const& entry : entries) {
      if (entry.what == What::booked) ++report_.booked;
      if (entry.what == What::sms_accepted) ++report_.texts;
      if (entry.what == What::delivered) delivered.insert(entry.id);
    }
    report_.delivered = static_cast<std::int64_t>(delivered.size());
    report_.most_at_once = most_at_once(entries);
    auto const slow = exceeded(settings_.limits, report_.delays.undisturbed, report_.most_at_once);
    report_.problems.insert(report_.problems.end(), slow.begin(), slow.end());
    watch_.reset();
    int const status = gateway_.stop(seconds{40});
    if (status != 0) report_.problems.push_back("the gateway stopped with status " + std::to_string(status));
  }

  RunSettings const& settings_;
  Quit const& quit_;
  std::function<void(std::string const&)> const& on_notice_;
  Folder folder_;
  std::unique_ptr<SmallDisk> disk_;
  History history_;
  Outside outside_;
  Gateway gateway_;
  std::optional<OutcomeWatch> watch_;
  RunReport report_;
  Verdict verdict_;
  std::set<std::string> known_;  // findings
  int starts_ = 0;
};

}  // namespace

RunReport run(RunSettings const& settings, Quit const& quit, std::function<void(CycleReport const&)> const& on_cycle,
              std::function<void(std::string const&)> const& on_notice) {
  return Run{settings, quit, on_notice}.go(on_cycle);
}

}  // namespace sim::chaos
