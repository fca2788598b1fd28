#pragma once
// One telephone call, from the webhook to its record.
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "crm/desk/desk.h"
#include "gateway/base/bell.h"
#include "gateway/base/log.h"
#include "gateway/base/task_group.h"
#include "gateway/call/bridge.h"
#include "gateway/call/carrier.h"
#include "gateway/call/ending.h"
#include "gateway/call/plan.h"
#include "gateway/call/read_back.h"
#include "gateway/call/record_sink.h"
#include "gateway/call/recording.h"

namespace gateway {

struct Tool;

struct CallSettings {
  BridgeSettings bridge;
  std::chrono::milliseconds stream_wait{45000};    ///< TwiML answered to stream opened; the start pause is part of it.
  std::chrono::milliseconds goodbye_limit{10000};  ///< Longest the agent's last words are played after it has left.
  std::chrono::milliseconds next_word{15000};      ///< Stream gone to the carrier's next word, before we ask it.
  std::chrono::milliseconds tool_limit{8000};
  std::chrono::milliseconds longest{3600000};  ///< No call lasts longer, whatever its agent allows.
  int agent_attempts = 2;                      ///< Conversations in one call before the fallback.
  int streams = 4;                             ///< Media streams in one call before we hang up.
  std::string node = "n1";
  std::int64_t epoch = 0;
};

struct CallMetrics {
  explicit CallMetrics(base::Metrics& metrics);
  base::Metrics& all;
  prometheus::Gauge& live;
  prometheus::Counter& reconnects;
  BridgeMetrics bridge;
  prometheus::Counter& ended(Ending ending);
};

/// What every call of a core needs; owned by the process.
struct CallServices {
  base::TimeSource& time;
  Metronome& metronome;
  AgentProvider& agents;
  Carrier& carrier;
  RecordSink& records;
  RecordingDesk& recordings;
  CallMetrics& metrics;
  base::Log log;
  CallSettings settings;
  /// Name of a caller the tenant knows, empty otherwise; bounded in time, never delays the caller. May be empty.
  std::function<base::Async<std::string>(base::TenantId, std::string)> known_contact;
  /// Does what agents ask for; null where there is none, and its tools are then unknown.
  crm::Desk* desk = nullptr;
};

/// What the carrier shall do next when it asks.
struct NextStep {
  enum class Do { stream, hang_up, forward, voicemail, apologise };
  Do what = Do::hang_up;
  std::string number;  ///< To forward to.
};

/// How a dialled person's leg ended, as the carrier reports it.
enum class DialEnd { completed, busy, no_answer, failed, canceled };

/// Bound to one core. Created by Calls, which keeps it until run() has returned.
class Call final : private BridgeEvents {
 public:
  Call(CallPlan plan, CallServices& services, asio::any_io_executor executor);
  ~Call() override;

  /// The whole life. Never throws.
  base::Async<> run();

  /// Serves one media stream; returns when the stream has ended and nothing of the call touches `leg` any more.
  /// Fault::conflict when one is being served already, unless the carrier has asked for the next step since that one
  /// began: then it is gone at the carrier's end, and the new one follows it.
  base::Async<base::Result<>> serve(CallerLeg& leg);

  /// The carrier asks what to do now that its document has come to the end.
  NextStep next_step();
  /// The person we dialled (transfer or fallback) is gone, or never came.
  NextStep after_dial(DialEnd end);
  NextStep after_voicemail();
  /// The carrier's word on the call. Late, doubled and shuffled words are harmless: the first terminal one wins.
  void on_status(crm::CallStatus status, std::optional<std::chrono::seconds> duration);
  /// We are stopping: say no more, hang up, write the record.
  void shut_down();

  CallPlan const& plan() const { return plan_; }
  bool is_over() const { return over_; }

 private:
  enum class Wish { none, hang_up, fall_back, hand_over };
  /// A tool that is being run, and the conversation that asked for it.
  struct ToolRun {
    ToolCall call;
    int conversation;
    std::string parameters_json;  // as checked
    std::int64_t started_ms;
  };
  struct AwaitedReadBack {
    ReadBack said;
    base::Instant expires;
    bool heard = false;
    int tries = 0;
  };

  void on_agent_accepted(AgentReady const& ready) override;
  void on_tool(ToolCall const& call) override;
  void on_agent_goodbye() override;
  void on_dead_air() override;
  void on_turn_changed() override;
  void on_heard() override;
  void on_event(std::string_view kind, std::string detail_json) override;

  void start_agent(std::string note);
  base::Async<> agent_loop();
  base::Async<> stop_agent();
  void dismiss_agent();
  bool try_again_after(AgentLegEnd const& end);
  AgentRequest agent_request(std::string contact_name) const;

  base::Async<> live();
  base::Async<> conversation();
  base::Async<> act_on_wish();
  base::Async<> close_caller();
  base::Async<> last_words();
  base::Async<> ask_carrier();
  base::Async<> ring_or(base::Instant deadline);

  base::Async<> tool(ToolRun run);
  base::Async<> ask_desk(ToolRun& run, Tool const& known);
  base::Async<> transfer(ToolRun& run);
  base::Async<> let_agent_finish_speaking();
  void answer_tool(ToolRun const& run, std::string const& result, bool is_error);
  std::string done_so_far() const;
  crm::DeskCaller desk_caller() const;
  void await_read_back(std::string appointment);
  void look_for_read_backs();
  base::Async<> confirm_heard(base::Instant deadline);
  base::Async<> leave_desk();
  void carrier_goes_on();
  NextStep fallback_step();
  NextStep voicemail_step();
  NextStep stream_again();

  void wish(Wish what, Ending ending);
  void note(std::string_view kind, std::string detail_json = "{}");
  void note(std::string_view kind, std::string_view key, std::string_view value);
  std::int64_t since_start() const;
  std::vector<crm::CallTurn> all_turns(Heard heard = Heard::proven) const;
  void checkpoint();
  void save();
  void close_record();

  CallPlan plan_;
  CallServices& services_;
  base::Log log_;
  Bridge bridge_;
  base::TaskGroup tasks_;
  base::Bell bell_;
  base::Bell caller_closed_;
  base::Bell agent_closed_;
  base::Bell caller_gone_;
  std::unique_ptr<Recording> recording_;
  CallerLeg* caller_ = nullptr;
  AgentLeg* agent_ = nullptr;
  std::optional<CallerLegEnd> stream_end_;
  Wish wish_ = Wish::none;
  std::optional<Ending> ending_;
  std::optional<crm::CallStatus> terminal_;
  std::chrono::milliseconds began_after_{0};  // of this process's part, when another one had the call before
  base::Instant ends_by_{};
  base::Instant next_word_due_{};  // when the carrier is asked, if it has not spoken by then
  int unanswered_questions_ = 0;
  bool carrier_is_busy_ = false;     // it rings or bridges a person, or takes a message
  bool transfer_asked_ = false;      // our request is under way
  bool transferring_ = false;        // the dialled person's end leads back to the agent
  bool caller_is_replaced_ = false;  // the carrier has gone on while we still hold its old stream
  bool next_caller_waits_ = false;
  bool agent_wanted_ = true;
  bool agent_running_ = false;
  bool stopping_ = false;
  bool changed_ = false;                             // what was said or happened
  bool heard_more_ = false;                          // nothing new but how much of it the caller has heard
  std::chrono::milliseconds listening_pause_{1000};  // from one look at that to the next
  bool over_ = false;
  int attempts_ = 0;       // conversations since the agent was last wanted anew
  int conversations_ = 0;  // in the whole call
  int tools_running_ = 0;
  bool desk_was_asked_ = false;
  bool confirming_ = false;
  base::Instant confirm_after_{};
  std::vector<AwaitedReadBack> read_backs_;
  // A leg must outlive its close(): whoever ran it waits for that to return.
  bool closing_caller_ = false;
  bool closing_agent_ = false;
  std::string resume_note_;  // told to the next conversation
  base::Instant saved_at_{};
  crm::CallRecord record_;
};

}  // namespace gateway
