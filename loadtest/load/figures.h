#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sim::load {

/// Everything one load run reports. A plain value: the engine fills it, figures_json, table, html and compare read it.
/// Units are in the names: `_ms` milliseconds, `_us` microseconds, `_s` seconds, `_kib` KiB. An `optional` that is
/// empty was not measured (a target on another machine shows no memory), which is not the same as zero.

struct Machine {
  std::string cpu_model;
  int cores = 0;
  std::string kernel;  ///< with its name: Linux 6.1.0
  std::string date;    ///< UTC, ISO 8601: 2025-06-01T12:00:00Z
};

/// What was asked for. Two runs can be compared when these agree (`comparable` in compare.h); the target's label may
/// differ.
struct RunSettings {
  std::string target;     ///< URL the calls went to
  std::string label;      ///< who that is: "switchboard 0.1.0", "floor", "node"
  std::string scenario;   ///< talk, turns, barge_in, hangup_storm, slow_agent, churn
  int calls = 0;          ///< asked for, at once
  double ramp_per_s = 0;  ///< new calls per second while the number grows
  double seconds = 0;     ///< measured time, after the ramp
  bool tls = false;
  bool pcm = false;  ///< agent speaks and hears pcm_16000 instead of ulaw_8000
  bool recording = false;
  std::vector<std::string> other;  ///< further options that change what is measured, as "name=value"
};

struct CallCounts {
  std::int64_t asked = 0;     ///< webhooks posted
  std::int64_t answered = 0;  ///< stream started and the agent's conversation joined
  std::int64_t refused = 0;   ///< busy answer (admission), which is an answer and no failure
  std::int64_t failed = 0;    ///< every other call that did not run to its planned end
  std::int64_t finished = 0;  ///< ran to the planned end
  std::int64_t most_at_once = 0;
};

/// What became of the numbered frames of one direction; everything but sent and received has to be zero.
struct FrameCounts {
  std::int64_t sent = 0;
  std::int64_t received = 0;
  std::int64_t lost = 0;     ///< never came, though the call lasted long enough
  std::int64_t late = 0;     ///< came more than `late_after_ms` after they were due
  std::int64_t swapped = 0;  ///< came after one with a higher number
  std::int64_t duplicated = 0;
  std::int64_t crossed = 0;  ///< carried another call's number: cross-talk
  std::int64_t damaged = 0;  ///< audio in which no number could be read
  double late_after_ms = 0;
};

struct HistogramBar {
  double up_to_ms = 0;  ///< upper edge; the lower edge is that of the bar before, or 0
  std::int64_t count = 0;
};

/// A distribution of durations. `histogram` is ordered by `up_to_ms` and fine enough to draw percentiles from it.
struct Distribution {
  std::int64_t count = 0;
  double p50_ms = 0;
  double p90_ms = 0;
  double p99_ms = 0;
  double p999_ms = 0;
  double max_ms = 0;
  double mean_ms = 0;
  std::vector<HistogramBar> histogram;
};

/// `corrected` counts from the moment a frame was due, also when the generator was late (coordinated omission);
/// `uncorrected` from the moment it was written. The corrected one is the figure, the other shows the difference.
struct Latency {
  Distribution corrected;
  Distribution uncorrected;
};

struct Direction {
  FrameCounts frames;
  Latency latency;  ///< added by the target: received minus due
};

/// Agent audio as the caller's side gets it, against the real-time clock of its utterance.
struct Pacing {
  Distribution error;          ///< how much later than a real-time clock audio came: what a caller would hear as a gap
  std::int64_t underruns = 0;  ///< times at which the caller had nothing to play inside an utterance
  double lead_p50_ms = 0;      ///< audio held at the caller's side ahead of being played
};

struct Interruptions {
  std::int64_t sent = 0;  ///< by the agent, while its audio was playing
  std::int64_t clears = 0;
  std::int64_t without_clear = 0;
  std::int64_t more_than_one_clear = 0;
  std::int64_t stale_frames = 0;  ///< of an interrupted turn, received after its clear
  Distribution until_clear;       ///< agent's event written -> `clear` received by the caller's side
};

struct SetUp {
  Distribution webhook_answered;  ///< webhook written -> TwiML read
  Distribution stream_accepted;   ///< stream's socket opened -> first message that proves acceptance
  Distribution agent_joined;      ///< webhook written -> the agent has the initiation
  Distribution first_audio;       ///< stream's `start` written -> first frame of agent audio received
  std::int64_t early_frames_lost =
      0;  ///< caller audio spoken before the agent was up (within 500 ms) that never reached it
  std::int64_t early_frames_sent = 0;
};

/// One process (or the media threads of it), over the measured time.
struct Cpu {
  double seconds = 0;              ///< user and system
  double per_caller_frame_us = 0;  ///< seconds / caller frames sent; one caller frame includes both directions
  double load = 0;                 ///< share of one core: 1.0 is a full core
};

struct TargetUse {
  std::optional<Cpu> process;
  std::optional<Cpu> media_threads;
  std::optional<double> rss_before_kib;  ///< before the first call
  std::optional<double> rss_full_kib;    ///< at the full number of calls
  std::optional<double> rss_end_kib;     ///< after the last call has ended
  std::optional<double> per_call_kib;    ///< (full - before) / live calls
  std::optional<std::int64_t> descriptors_before;
  std::optional<std::int64_t> descriptors_end;
};

/// How the measuring side did. A run with `was_bottleneck` is no measurement of the target.
struct Generator {
  Distribution lateness;        ///< caller frames: written minus due
  Distribution agent_lateness;  ///< the agent simulator's pieces: written minus due
  Cpu cpu;
  double rss_kib = 0;
  bool was_bottleneck = false;
  std::string why;  ///< one sentence when it was
};

/// One second of the run, ramp included.
struct Moment {
  double at_s = 0;
  int calls = 0;
  double cpu = 0;      ///< target, share of one core; 0 when unknown
  double rss_kib = 0;  ///< target; 0 when unknown
  double to_agent_p99_ms = 0;
  double to_caller_p99_ms = 0;
  double generator_cpu = 0;
  std::int64_t lost = 0;
};

struct Figures {
  Machine machine;
  RunSettings settings;
  double measured_s = 0;  ///< what `measured` figures were taken over: full number of calls up
  CallCounts calls;
  Direction to_agent;   ///< caller -> agent
  Direction to_caller;  ///< agent -> caller
  Pacing pacing;
  Interruptions interruptions;
  SetUp set_up;
  TargetUse target;
  std::optional<std::int64_t> outcomes_written;  ///< call records found in the target's database
  std::optional<std::int64_t> outcomes_wrong;    ///< with an ending other than the scenario's
  Generator generator;
  std::vector<Moment> moments;
  std::vector<std::string> problems;  ///< failures in words, first twenty, no phone numbers
};

}  // namespace sim::load
