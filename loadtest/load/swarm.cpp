#include "loadtest/load/swarm.h"

#include <fmt/format.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <system_error>

namespace sim::load {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t second_ns = 1'000 * ms_ns;
constexpr std::int64_t look_every = 20 * ms_ns;
constexpr std::int64_t churn_call = 3 * second_ns;
constexpr std::int64_t storm_lasts = second_ns;
/// How long the last calls of the ramp may take to stand, and all calls to be over.
constexpr std::int64_t ramp_patience = 10 * second_ns;
constexpr std::int64_t end_patience = 25 * second_ns;

// A generator that is late this often, or that has no time left, measures itself.
constexpr double most_lateness_ms = 5;
constexpr double most_load = 0.95;

double ms_of(std::int64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e6;
}

std::size_t slots_for(Options const& options) {
  if (options.scenario != Scenario::churn) return options.calls;
  // As many as can overlap, with room for slow ends.
  return static_cast<std::size_t>(options.ramp * 6) + 8;
}

std::int64_t number_in(nlohmann::json const& json, char const* name) {
  return json.is_object() && json.contains(name) && json[name].is_number() ? json[name].get<std::int64_t>() : -1;
}

}  // namespace

/// Wakes the loop whenever the wheel has something to do: epoll's own timeout is too coarse.
class Swarm::Alarm final : net::Poller::Listener {
 public:
  explicit Alarm(net::Poller& poller)
      : poller_{poller}, timer_{::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)} {
    itimerspec every{};
    every.it_interval.tv_nsec = Wheel::step_ns;
    every.it_value.tv_nsec = Wheel::step_ns;
    bool const works = timer_ >= 0 && ::timerfd_settime(timer_, 0, &every, nullptr) == 0 && poller_.add(timer_, *this);
    if (!works) throw std::system_error{errno, std::generic_category(), "timerfd"};
  }
  ~Alarm() {
    poller_.remove(timer_, *this);
    ::close(timer_);
  }
  Alarm(Alarm const&) = delete;
  Alarm& operator=(Alarm const&) = delete;

 private:
  void on_ready(std::uint32_t) override {
    std::uint64_t count = 0;
    (void)!::read(timer_, &count, sizeof count);
  }

  net::Poller& poller_;
  int timer_;
};

std::string why_bottleneck(Generator const& generator) {
  auto const worst = std::max(generator.lateness.p99_ms, generator.agent_lateness.p99_ms);
  if (worst > most_lateness_ms)
    return fmt::format("the generator wrote one frame in a hundred {:.1f} ms late or more", worst);
  if (generator.cpu.load > most_load)
    return fmt::format("the generator used {:.0f} % of its core", generator.cpu.load * 100);
  return {};
}

Swarm::Swarm(Trial& trial) : trial_{trial}, door_{trial, trial.options.port}, health_{trial.wires, *this} {
  trial_.own_authority = "127.0.0.1:" + std::to_string(door_.port());
  trial_.calls = this;
  trial_.wires.ticker = this;
  trial_.unstamped.clear();
  auto const frame = unstamped_frame();
  for (int i = 0; i < 64; ++i) trial_.unstamped.insert(trial_.unstamped.end(), frame.begin(), frame.end());
}

Swarm::~Swarm() {
  trial_.wires.ticker = nullptr;
  for (auto& call : calls_) call->hang_up();
}

// ---- the loop

void Swarm::run_due() {
  if (phase_ != Phase::over) wheel_.turn(monotonic_ns());
}

void Swarm::turn_once(milliseconds patience) {
  trial_.wires.poller.poll(patience);
  run_due();
}

Call* Swarm::find(std::string_view call_sid) {
  if (call_sid.size() != 34) return nullptr;
  std::uint32_t slot = 0;
  auto const [end, error] = std::from_chars(call_sid.data() + 26, call_sid.data() + 34, slot, 16);
  if (error != std::errc{} || slot >= calls_.size()) return nullptr;
  auto& call = *calls_[slot];
  return !call.is_idle() && call.sid() == call_sid ? &call : nullptr;
}

Call* Swarm::find_number(std::uint32_t number) {
  auto const found =
      std::ranges::find_if(calls_, [&](auto const& call) { return !call->is_idle() && call->number() == number; });
  return found != calls_.end() ? found->get() : nullptr;
}

// ---- the gateway's health

void Swarm::on_answer(HttpAnswer answer) {
  health_answer_ = std::move(answer);
}

std::optional<GatewayHealth> Swarm::ask_health(std::string const& url) {
  auto const place = net::parse_url(url + "/healthz");
  if (!place) return std::nullopt;
  health_answer_.reset();
  health_.ask(Place::find(*place, trial_.client_tls), "GET /healthz HTTP/1.1\r\n", {});
  auto const deadline = monotonic_ns() + 2 * second_ns;
  while (!health_answer_ && monotonic_ns() < deadline) turn_once(milliseconds{10});
  health_.give_up();
  if (!health_answer_ || health_answer_->status == 0) return std::nullopt;
  auto const json = nlohmann::json::parse(health_answer_->body, nullptr, /*allow_exceptions=*/false);
  return GatewayHealth{number_in(json, "calls"), number_in(json, "numbers"), number_in(json, "records_waiting")};
}

bool Swarm::wait_for_numbers(std::string const& health_url, milliseconds patience) {
  auto const deadline = monotonic_ns() + patience.count() * ms_ns;
  while (monotonic_ns() < deadline) {
    auto const health = ask_health(health_url);
    if (health && health->numbers > 0) return true;
    for (int i = 0; i < 5; ++i) turn_once(milliseconds{20});
  }
  return false;
}

GatewayHealth Swarm::wait_for_records(std::string const& health_url, milliseconds patience) {
  auto const deadline = monotonic_ns() + patience.count() * ms_ns;
  GatewayHealth last;
  while (monotonic_ns() < deadline) {
    last = ask_health(health_url).value_or(GatewayHealth{});
    if (last.calls == 0 && last.records_waiting == 0) break;
    for (int i = 0; i < 10; ++i) turn_once(milliseconds{20});
  }
  return last;
}

// ---- the run

void Swarm::run(Figures& figures, Progress const& progress, pid_t gateway) {
  figures_ = &figures;
  progress_ = &progress;
  gateway_ = gateway;
  for (std::size_t slot = 0; slot < slots_for(trial_.options); ++slot)
    calls_.push_back(std::make_unique<Call>(trial_, static_cast<std::uint32_t>(slot)));
  for (auto slot = calls_.size(); slot-- > 0;) idle_.push_back(static_cast<std::uint32_t>(slot));
  was_idle_.assign(calls_.size(), true);
  alarm_ = std::make_unique<Alarm>(trial_.wires.poller);
  if (gateway_ > 0) {
    gateway_before_ = gateway_last_second_ = use_of(gateway_);
    figures.target.descriptors_before = descriptors_of(gateway_);
  }
  own_last_second_ = use_of(::getpid());
  auto const now = monotonic_ns();
  begun_ns_ = phase_ns_ = next_begin_ns_ = second_started_ns_ = now;
  next_second_ns_ = now + second_ns;
  phase_ = Phase::ramp;
  wheel_.start(now);
  while (phase_ != Phase::over) {
    turn_once(milliseconds{100});
    step(monotonic_ns());
  }
  alarm_.reset();
  conclude();
}

/// Whatever is not a matter of single frames.
void Swarm::step(std::int64_t now_ns) {
  begin_due(now_ns);
  if (now_ns >= next_look_ns_) {
    next_look_ns_ = now_ns + look_every;
    look_after_calls(now_ns);
    door_.sweep();
    advance(now_ns);
  }
  if (phase_ == Phase::measuring && trial_.options.scenario == Scenario::hangup_storm) storm(now_ns);
  if (phase_ == Phase::hanging_up) hang_up_due(now_ns);
  if (now_ns >= next_second_ns_) note_second(now_ns);
}

void Swarm::begin_due(std::int64_t now_ns) {
  bool const is_churn = trial_.options.scenario == Scenario::churn;
  bool const goes_on = is_churn ? phase_ != Phase::hanging_up && phase_ != Phase::over
                                : phase_ == Phase::ramp && begun_calls_ < trial_.options.calls;
  if (!goes_on) return;
  while (next_begin_ns_ <= now_ns && !idle_.empty() && (is_churn || begun_calls_ < trial_.options.calls)) {
    begin_one(now_ns);
    next_begin_ns_ += static_cast<std::int64_t>(1e9 / trial_.options.ramp);
  }
  if (!is_churn || next_begin_ns_ > now_ns || !idle_.empty()) return;
  trial_.measures.complain("a new call had to wait because earlier ones did not end");
  next_begin_ns_ = now_ns;
}

void Swarm::begin_one(std::int64_t now_ns) {
  auto const slot = idle_.back();
  idle_.pop_back();
  was_idle_[slot] = false;
  ++begun_calls_;
  auto& call = *calls_[slot];
  call.begin(next_number_++, now_ns);
  wheel_.join(call);
}

void Swarm::look_after_calls(std::int64_t now_ns) {
  bool const is_churn = trial_.options.scenario == Scenario::churn;
  up_ = 0;
  for (auto const& call : calls_) {
    if (call->is_up()) ++up_;
    if (is_churn && call->is_up() && now_ns - call->talking_since() >= churn_call) call->hang_up();
    if (!call->is_idle() || was_idle_[call->slot()]) continue;
    was_idle_[call->slot()] = true;
    idle_.push_back(call->slot());
    bool const rings_again = phase_ == Phase::measuring && trial_.options.scenario == Scenario::hangup_storm &&
                             begun_calls_ < 2 * trial_.options.calls;
    if (rings_again) begin_one(now_ns);
  }
  auto& most = trial_.measures.calls.most_at_once;
  most = std::max(most, static_cast<std::int64_t>(up_));
}

/// Everybody hangs up within a second, a third into the window.
void Swarm::storm(std::int64_t now_ns) {
  auto const at = trial_.measured_from + (trial_.measured_to - trial_.measured_from) / 3;
  auto const count = static_cast<std::int64_t>(trial_.options.calls);
  while (stormed_ < trial_.options.calls && now_ns >= at + static_cast<std::int64_t>(stormed_) * storm_lasts / count)
    calls_[stormed_++]->hang_up();
}

void Swarm::hang_up_due(std::int64_t now_ns) {
  // At the ramp's rate, within two seconds at most: what a storm costs is the business of its own scenario.
  auto const between = std::min(static_cast<std::int64_t>(1e9 / trial_.options.ramp),
                                2 * second_ns / static_cast<std::int64_t>(calls_.size()));
  while (hung_up_ < calls_.size() && now_ns >= phase_ns_ + static_cast<std::int64_t>(hung_up_) * between)
    calls_[hung_up_++]->hang_up();
}

void Swarm::advance(std::int64_t now_ns) {
  auto const in_phase = now_ns - phase_ns_;
  auto const enter = [&](Phase phase) {
    phase_ = phase;
    phase_ns_ = now_ns;
  };
  auto const& options = trial_.options;
  bool const is_churn = options.scenario == Scenario::churn;
  switch (phase_) {
    case Phase::ramp: {
      bool const all_begun = is_churn ? in_phase >= churn_call : begun_calls_ >= options.calls;
      if (!all_begun) return;
      auto const open = calls_.size() - idle_.size();
      bool const all_stand = is_churn || up_ >= open;
      auto const ramp_lasts = static_cast<std::int64_t>(static_cast<double>(options.calls) / options.ramp * 1e9);
      if (all_stand || in_phase > ramp_lasts + ramp_patience) enter(Phase::settle);
      return;
    }
    case Phase::settle:
      if (in_phase < options.settle.count() * ms_ns) return;
      enter(Phase::measuring);
      begin_measuring(now_ns);
      return;
    case Phase::measuring:
      if (now_ns < trial_.measured_to) return;
      end_measuring();
      enter(Phase::hanging_up);
      return;
    case Phase::hanging_up:
      if (idle_.size() < calls_.size() && in_phase < end_patience) return;
      phase_ = Phase::over;
      return;
    case Phase::over:
      return;
  }
}

// ---- figures

void Swarm::begin_measuring(std::int64_t now_ns) {
  trial_.measured_from = now_ns;
  trial_.measured_to = now_ns + trial_.options.window.count() * ms_ns;
  trial_.measures.caller_lateness.clear();
  trial_.measures.agent_lateness.clear();
  if (gateway_ > 0) gateway_at_start_ = use_of(gateway_);
  own_at_start_ = use_of(::getpid());
  measured_started_ns_ = now_ns;
  frames_at_start_ = trial_.measures.to_agent.frames.sent;
}

void Swarm::end_measuring() {
  auto const seconds = static_cast<double>(monotonic_ns() - measured_started_ns_) / 1e9;
  auto const frames = static_cast<double>(trial_.measures.to_agent.frames.sent - frames_at_start_);
  auto const cpu_of = [&](double used) { return Cpu{used, frames > 0 ? used / frames * 1e6 : 0, used / seconds}; };
  auto& figures = *figures_;
  figures.measured_s = seconds;
  auto const own = use_of(::getpid());
  if (own && own_at_start_) {
    figures.generator.cpu = cpu_of(own->cpu_s - own_at_start_->cpu_s);
    figures.generator.rss_kib = own->rss_kib;
  }
  // What is written after the window does not say whether the window was good.
  figures.generator.lateness = trial_.measures.caller_lateness.distribution();
  figures.generator.agent_lateness = trial_.measures.agent_lateness.distribution();
  auto const now = gateway_ > 0 ? use_of(gateway_) : std::nullopt;
  if (!now || !gateway_at_start_) return;
  auto& use = figures.target;
  use.process = cpu_of(now->cpu_s - gateway_at_start_->cpu_s);
  use.media_threads = cpu_of(now->busiest_since(*gateway_at_start_));
  use.rss_full_kib = now->rss_kib;
  if (!gateway_before_) return;
  use.rss_before_kib = gateway_before_->rss_kib;
  if (up_ > 0) use.per_call_kib = (now->rss_kib - gateway_before_->rss_kib) / static_cast<double>(up_);
}

void Swarm::note_second(std::int64_t now_ns) {
  static constexpr std::array<std::string_view, 5> names{"ramp", "settle", "measuring", "hanging up", "over"};
  auto const seconds = static_cast<double>(now_ns - second_started_ns_) / 1e9;
  auto const share_of = [&](std::optional<ProcessUse>& last, pid_t process) {
    auto const now = process > 0 ? use_of(process) : std::nullopt;
    double const share = now && last ? std::max(0.0, now->cpu_s - last->cpu_s) / seconds : 0;
    last = now;
    return share;
  };
  auto& measures = trial_.measures;
  Moment moment;
  moment.at_s = static_cast<double>(now_ns - begun_ns_) / 1e9;
  moment.calls = static_cast<int>(up_);
  moment.cpu = share_of(gateway_last_second_, gateway_);
  moment.generator_cpu = share_of(own_last_second_, ::getpid());
  moment.rss_kib = gateway_last_second_ ? gateway_last_second_->rss_kib : 0;
  moment.to_agent_p99_ms = ms_of(measures.to_agent.last_second.at(0.99));
  moment.to_caller_p99_ms = ms_of(measures.to_caller.last_second.at(0.99));
  moment.lost = measures.to_agent.frames.lost + measures.to_caller.frames.lost;
  measures.to_agent.last_second.clear();
  measures.to_caller.last_second.clear();
  figures_->moments.push_back(moment);
  second_started_ns_ = now_ns;
  next_second_ns_ += second_ns;
  if (next_second_ns_ <= now_ns) next_second_ns_ = now_ns + second_ns;
  if (!*progress_) return;
  auto const& options = trial_.options;
  auto const ramp_s = static_cast<double>(options.calls) / options.ramp;
  auto const of = phase_ == Phase::ramp        ? ramp_s
                  : phase_ == Phase::settle    ? static_cast<double>(options.settle.count()) / 1000
                  : phase_ == Phase::measuring ? static_cast<double>(options.window.count()) / 1000
                                               : 0.0;
  (*progress_)({.name = names[static_cast<std::size_t>(phase_)],
                .seconds = moment.at_s,
                .of = of,
                .calls_up = up_,
                .frames_lost = static_cast<std::uint64_t>(std::max<std::int64_t>(moment.lost, 0)),
                .caller_to_agent_p99_ms = moment.to_agent_p99_ms,
                .agent_to_caller_p99_ms = moment.to_caller_p99_ms,
                .gateway_cpu_percent = moment.cpu * 100,
                .own_cpu_percent = moment.generator_cpu * 100});
}

void Swarm::conclude() {
  auto& figures = *figures_;
  for (auto const& call : calls_) {
    if (call->is_idle()) continue;
    trial_.measures.complain("a call did not end");
    break;
  }
  auto const lateness = std::move(figures.generator.lateness);
  auto const agent_lateness = std::move(figures.generator.agent_lateness);
  report(trial_.measures, figures);
  figures.generator.lateness = lateness;
  figures.generator.agent_lateness = agent_lateness;
  figures.generator.why = why_bottleneck(figures.generator);
  figures.generator.was_bottleneck = !figures.generator.why.empty();
}

}  // namespace sim::load
