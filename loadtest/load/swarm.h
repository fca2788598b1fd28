#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "loadtest/load/call.h"
#include "loadtest/load/door.h"
#include "loadtest/load/process_use.h"
#include "loadtest/load/trial.h"
#include "loadtest/load/wheel.h"

namespace sim::load {

/// What the gateway says about itself on its operations port.
struct GatewayHealth {
  std::int64_t calls = -1;  ///< -1: it has not said.
  std::int64_t numbers = -1;
  std::int64_t records_waiting = -1;
};

/// All calls of one run, on one thread: begins them, ticks them, ends them, and looks at both processes meanwhile.
class Swarm final : CallFinder, Ticker, HttpEvents {
 public:
  /// Listens; the gateway can be told where (Trial::own_authority).
  explicit Swarm(Trial& trial);
  ~Swarm();
  Swarm(Swarm const&) = delete;
  Swarm& operator=(Swarm const&) = delete;

  /// Blocks until the gateway answers one number at least. False after `patience`.
  bool wait_for_numbers(std::string const& health_url, std::chrono::milliseconds patience);

  /// The whole run. `gateway` is the process to be measured, -1 when that is unknown.
  void run(Figures& figures, Progress const& progress, pid_t gateway);

  /// Waits until the gateway has written every record, as far as it tells.
  GatewayHealth wait_for_records(std::string const& health_url, std::chrono::milliseconds patience);

 private:
  enum class Phase { ramp, settle, measuring, hanging_up, over };

  Call* find(std::string_view call_sid) override;
  Call* find_number(std::uint32_t number) override;
  void run_due() override;
  void on_answer(HttpAnswer answer) override;

  void turn_once(std::chrono::milliseconds patience);
  std::optional<GatewayHealth> ask_health(std::string const& url);
  void step(std::int64_t now_ns);
  void advance(std::int64_t now_ns);
  void begin_due(std::int64_t now_ns);
  void begin_one(std::int64_t now_ns);
  void look_after_calls(std::int64_t now_ns);
  void storm(std::int64_t now_ns);
  void hang_up_due(std::int64_t now_ns);
  void begin_measuring(std::int64_t now_ns);
  void end_measuring();
  void note_second(std::int64_t now_ns);
  void conclude();

  class Alarm;

  Trial& trial_;
  Door door_;
  std::unique_ptr<Alarm> alarm_;
  Wheel wheel_;
  std::vector<std::unique_ptr<Call>> calls_;
  std::vector<std::uint32_t> idle_;  // slots in which no call is
  std::vector<bool> was_idle_;
  HttpExchange health_;
  std::optional<HttpAnswer> health_answer_;

  Figures* figures_ = nullptr;
  Progress const* progress_ = nullptr;
  pid_t gateway_ = -1;
  Phase phase_ = Phase::over;
  std::int64_t begun_ns_ = 0;
  std::int64_t phase_ns_ = 0;  // when it began
  std::size_t begun_calls_ = 0;
  std::uint32_t next_number_ = 0;
  std::int64_t next_begin_ns_ = 0;
  std::int64_t next_look_ns_ = 0;
  std::int64_t next_second_ns_ = 0;
  std::size_t hung_up_ = 0;
  std::size_t stormed_ = 0;
  std::size_t up_ = 0;

  std::optional<ProcessUse> gateway_before_;
  std::optional<ProcessUse> gateway_at_start_;
  std::optional<ProcessUse> gateway_last_second_;
  std::optional<ProcessUse> own_at_start_;
  std::optional<ProcessUse> own_last_second_;
  std::int64_t measured_started_ns_ = 0;
  std::int64_t frames_at_start_ = 0;
  std::int64_t second_started_ns_ = 0;
};

/// Why the generator's own state makes the figures worthless; empty when it does not.
std::string why_bottleneck(Generator const& generator);

}  // namespace sim::load
