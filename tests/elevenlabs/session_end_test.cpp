#include <filesystem>
#include <fstream>

#include "tests/elevenlabs/scripted_agent.h"

namespace gateway::elevenlabs {
namespace {

using namespace test;
using Kind = AgentLegEnd::Kind;
using Lines = std::vector<std::string>;

class AgentSessionEnd : public AgentScene {};

constexpr std::string_view some_audio = R"({"type":"audio","audio_event":{"audio_base_64":"f39/f38=","event_id":1}})";

Script closing_with(std::uint16_t code, std::string reason, std::string_view said_before = {}) {
  return [=](Line& line) -> base::Async<> {
    line.says(metadata);
    if (!said_before.empty()) line.says(said_before);
    co_await line.closes(code, reason);
  };
}

// ---- closes and errors ---------------------------------------------------------------------------------------------

TEST_F(AgentSessionEnd, maps_the_close_of_a_running_conversation) {
  struct Case {
    std::uint16_t code;
    char const* reason;
    Kind kind;
  };
  Case const cases[] = {{1000, "", Kind::finished},
                        {1008, "Override for field 'voice_id' is not allowed by config.", Kind::refused},
                        {3000, "The AI agent you are trying to reach does not exist.", Kind::refused},
                        {3008, "too many concurrent connections", Kind::refused},
                        {4300, "", Kind::refused},
                        {1002, "This request exceeds your quota limit.", Kind::quota},
                        {1002, "llm_timeout", Kind::lost},
                        {1011, "unknown", Kind::lost}};
  for (auto const& [code, reason, kind] : cases) {
    ended.reset();
    upgrades.clear();
    agent({closing_with(code, reason, some_audio)});
    auto const end = converse();
    EXPECT_EQ(end.kind, kind) << code << reason;
    EXPECT_EQ(end.code, code);
    EXPECT_EQ(upgrades.size(), 1U) << "no second conversation once the agent has spoken";
  }
}

TEST_F(AgentSessionEnd, metadata_is_no_acceptance) {
  agent({[](Line& line) -> base::Async<> {
    line.says(metadata);
    line.says(
        R"({"type":"error","error_event":{"code":1008,"message":"Override not allowed","error_type":"override_error"}})");
    co_await line.closes(1008, "Override for field 'first_message' is not allowed by config.");
  }});
  auto const end = converse();
  EXPECT_EQ(end.kind, Kind::refused);
  EXPECT_EQ(end.code, 1008);
  EXPECT_NE(end.detail.find("override_error"), std::string::npos);
  EXPECT_EQ(upgrades.size(), 1U);
}

TEST_F(AgentSessionEnd, understands_every_shape_of_error_before_the_close) {
  std::pair<char const*, Kind> const cases[] = {
      {R"({"type":"error","error_event":{"code":1008,"error_type":"missing_dynamic_variable"}})", Kind::refused},
      {R"({"type":"client_error","error_event":{"code":1008,"message":"m","error_name":"bad_request"}})",
       Kind::refused},
      {R"({"type":"error","message":"received 1002 (protocol error) This request exceeds your quota limit.; then sent 1002"})",
       Kind::quota},
      {R"({"type":"error","error_event":{"code":1002,"error_type":"quota_exceeded"}})", Kind::quota},
      {R"({"type":"error","error_event":{"code":1002,"error_type":"llm_error"}})", Kind::lost},
      {R"({"type":"error"})", Kind::lost}};
  for (auto const& [text, kind] : cases) {
    ended.reset();
    std::string const error = text;
    agent({[error](Line& line) -> base::Async<> {
      line.says(metadata);
      line.says(some_audio);
      line.says(error);
      // Only once all is read: a reset would overtake it.
      line.says(R"({"type":"ping","ping_event":{"event_id":1}})");
      for (auto message = co_await line.hears(); message.value("type", "") != "pong";) message = co_await line.hears();
      line.breaks();
    }});
    EXPECT_EQ(converse().kind, kind) << error;
  }
}

TEST_F(AgentSessionEnd, an_error_after_which_the_agent_goes_on_is_not_the_end) {
  time = &clock;
  bool reported = false;
  Signal go_on{context_.get_executor()};
  agent({[&](Line& line) -> base::Async<> {
    line.says(metadata);
    line.says(R"({"type":"client_error","error_event":{"code":1008,"message":"m"}})");
    line.says(some_audio);
    line.says(R"({"type":"ping","ping_event":{"event_id":1}})");
    co_await line.hears();
    co_await line.hears();
    reported = true;
    co_await go_on.wait();
    co_await line.closes(1000);
  }});
  make_leg();
  start();
  ASSERT_TRUE(run_while([&] { return !reported; }));
  clock.advance(10s);
  go_on.ring();
  EXPECT_EQ(wait_for_end().kind, Kind::finished);
}

TEST_F(AgentSessionEnd, waits_two_seconds_for_the_close_that_an_error_announced) {
  time = &clock;
  bool reported = false;
  agent({[&](Line& line) -> base::Async<> {
    line.says(metadata);
    line.says(some_audio);
    line.says(R"({"type":"error","error_event":{"code":1008,"error_type":"value_error"}})");
    line.says(R"({"type":"ping","ping_event":{"event_id":1}})");
    co_await line.hears();
    co_await line.hears();
    reported = true;
    co_await line.waits_for_the_end();
  }});
  make_leg();
  start();
  ASSERT_TRUE(run_while([&] { return !reported || clock.waiters() == 0; }));
  clock.advance(1999ms);
  EXPECT_FALSE(run_while([&] { return !ended; }, 0s));
  clock.advance(1ms);
  auto const end = wait_for_end();
  EXPECT_EQ(end.kind, Kind::refused);
  EXPECT_EQ(end.code, 1008);
}

TEST_F(AgentSessionEnd, maximum_duration_ends_at_once_and_regularly) {
  agent({[](Line& line) -> base::Async<> {
    line.says(metadata);
    line.says(R"({"type":"error","error_event":{"code":1000,"error_type":"max_duration_exceeded"}})");
    co_await line.waits_for_the_end();
  }});
  auto const end = converse();
  EXPECT_EQ(end.kind, Kind::finished);
  EXPECT_EQ(end.code, 1000);
}

// ---- the one retry -------------------------------------------------------------------------------------------------

TEST_F(AgentSessionEnd, starts_again_with_a_fresh_signed_url_when_the_service_breaks_before_it_spoke) {
  for (std::uint16_t const code : {1002, 1011, 1006}) {
    ended.reset();
    questions.clear();
    upgrades.clear();
    diary.lines.clear();
    settings.api_key = base::Secret{"k"};
    Script const first = code == 1006 ? Script{[](Line& line) -> base::Async<> {
      co_await line.hears();
      line.breaks();
    }}
                                      : closing_with(code, "crash");
    agent({first, closing_with(1000, "", some_audio)});
    EXPECT_EQ(converse().kind, Kind::finished) << code;
    ASSERT_EQ(questions.size(), 2U) << code;
    ASSERT_EQ(upgrades.size(), 2U) << code;
    EXPECT_NE(upgrades[1].target.find("sig2"), std::string::npos);
    EXPECT_EQ(diary.lines.back(), "audio 1 5");
  }
  EXPECT_EQ(counted("switchboard_agent_retries_total", {}), 3);
}

TEST_F(AgentSessionEnd, tries_only_once_more) {
  agent({closing_with(1011, "crash")});
  EXPECT_EQ(converse().kind, Kind::lost);
  EXPECT_EQ(upgrades.size(), 2U);
  EXPECT_EQ(counted("switchboard_agent_sessions_total", {{"end", "lost"}}), 1);
}

TEST_F(AgentSessionEnd, does_not_start_again_once_the_caller_was_heard) {
  agent(
      {closing_with(1011, "crash",
                    R"({"type":"user_transcript","user_transcription_event":{"user_transcript":"hi","event_id":1}})")});
  EXPECT_EQ(converse().kind, Kind::lost);
  EXPECT_EQ(upgrades.size(), 1U);
}

TEST_F(AgentSessionEnd, does_not_start_again_when_that_cannot_help) {
  for (std::uint16_t const code : {1008, 3000}) {
    ended.reset();
    upgrades.clear();
    agent({closing_with(code, "no")});
    EXPECT_EQ(converse().kind, Kind::refused);
    EXPECT_EQ(upgrades.size(), 1U);
  }
}

// ---- before the socket ---------------------------------------------------------------------------------------------

TEST_F(AgentSessionEnd, tells_why_there_is_no_signed_url) {
  struct Case {
    unsigned status;
    char const* body;
    Kind kind;
    std::size_t asked;
  };
  Case const cases[] = {
      {401, R"({"detail":{"status":"invalid_api_key","message":"Invalid API key sk_test_key"}})", Kind::refused, 1},
      {401, R"({"detail":{"status":"quota_exceeded","message":"x"}})", Kind::quota, 1},
      {403, R"({"detail":{"status":"missing_permissions"}})", Kind::refused, 1},
      {404, R"({"detail":{"status":"document_not_found","code":"agent_not_found"}})", Kind::refused, 1},
      {422, R"({"detail":[{"loc":["query","agent_id"],"msg":"Field required","type":"missing"}]})", Kind::refused, 1},
      {429, R"({"detail":{"status":"too_many_concurrent_requests"}})", Kind::refused, 1},
      {429, R"({"detail":{"status":"system_busy"}})", Kind::lost, 2},
      {500, "oops", Kind::lost, 2},
      {200, "{}", Kind::lost, 2},
      {200, R"({"signed_url":"https://evil.example/"})", Kind::lost, 2}};
  settings.api_key = base::Secret{"sk_test_key"};
  for (auto const& [status, body, kind, asked] : cases) {
    ended.reset();
    questions.clear();
    signed_url = [=] { return net::Response::json(status, body); };
    auto const end = converse();
    EXPECT_EQ(end.kind, kind) << status << body;
    EXPECT_EQ(end.code, 0);
    EXPECT_EQ(questions.size(), asked) << status << body;
    EXPECT_EQ(end.detail.find("sk_test"), std::string::npos);
    EXPECT_EQ(end.detail.find("evil"), std::string::npos);
  }
  EXPECT_TRUE(upgrades.empty());
}

TEST_F(AgentSessionEnd, a_failure_that_passed_costs_one_retry) {
  settings.api_key = base::Secret{"k"};
  signed_url = [this] { return questions.size() == 1 ? net::Response::text(503, "") : signed_url_to_here(); };
  agent({closing_with(1000, "", some_audio)});
  EXPECT_EQ(converse().kind, Kind::finished);
}

TEST_F(AgentSessionEnd, tells_a_refused_upgrade_from_a_broken_one) {
  std::pair<unsigned, Kind> const cases[] = {
      {401, Kind::refused}, {403, Kind::refused}, {404, Kind::refused}, {503, Kind::lost}};
  for (auto const& [status, kind] : cases) {
    ended.reset();
    upgrades.clear();
    refuse_upgrade = status;
    EXPECT_EQ(converse().kind, kind) << status;
    EXPECT_EQ(upgrades.size(), kind == Kind::lost ? 2U : 1U);
  }
}

TEST_F(AgentSessionEnd, nobody_listening_is_lost) {
  settings.api_base_url = "http://127.0.0.1:1";
  EXPECT_EQ(converse().kind, Kind::lost);
  ended.reset();
  settings.api_key = base::Secret{"k"};
  EXPECT_EQ(converse().kind, Kind::lost);
}

// ---- our own end ---------------------------------------------------------------------------------------------------

TEST_F(AgentSessionEnd, closing_says_goodbye_as_the_official_clients_do) {
  agent({[](Line& line) -> base::Async<> {
    line.says(metadata);
    co_await line.waits_for_the_end();
  }});
  make_leg();
  start();
  ASSERT_TRUE(run_while([this] { return diary.lines.empty(); }));
  run_until(leg->close());
  auto const end = wait_for_end();
  EXPECT_EQ(end.kind, Kind::closed);
  ASSERT_TRUE(run_while([this] { return closes.empty(); }));
  EXPECT_EQ(closes[0].code, 1000);
  EXPECT_EQ(closes[0].reason, "User ended conversation");
  leg->hear(std::vector<std::uint8_t>(160));
  leg->tell("t", "after the end");
  leg->answer_tool("c", "r", false);
  leg->keep_patient();
  run_until(leg->close());
}

TEST_F(AgentSessionEnd, closing_an_agent_that_no_longer_reads_takes_one_second) {
  deaf_until.emplace(context_.get_executor());
  make_leg();
  start();
  ASSERT_TRUE(run_while([this] { return diary.lines.empty(); }));
  auto const before = std::chrono::steady_clock::now();
  run_until(leg->close());
  EXPECT_LT(std::chrono::steady_clock::now() - before, 1500ms);
  EXPECT_EQ(wait_for_end().kind, Kind::closed);
  deaf_until->ring();
}

/// The phases of a start in which a call may end.
enum class Phase { signed_url, upgrade, metadata, talking };

class AgentSessionPhase : public AgentScene, public ::testing::WithParamInterface<Phase> {
 protected:
  /// Runs until the phase is reached and stays there.
  void reach(Phase phase) {
    settings.api_key = base::Secret{"k"};
    if (phase == Phase::signed_url) hold_signed_url.emplace(context_.get_executor());
    if (phase == Phase::upgrade) hold_upgrade.emplace(context_.get_executor());
    agent({[this, phase](Line& line) -> base::Async<> {
      co_await line.hears();
      if (phase == Phase::talking) line.says(metadata);
      introduced_ = true;
      co_await line.waits_for_the_end();
    }});
    make_leg();
    start();
    ASSERT_TRUE(run_while([&] {
      switch (phase) {
        case Phase::signed_url:
          return questions.empty();
        case Phase::upgrade:
          return upgrades.empty();
        case Phase::metadata:
          return !introduced_;
        default:
          return diary.lines.empty();
      }
    }));
  }
  void let_go() {
    if (hold_signed_url) hold_signed_url->ring();
    if (hold_upgrade) hold_upgrade->ring();
  }
  bool introduced_ = false;
};

TEST_F(AgentSessionEnd, closing_before_the_start_keeps_it_from_starting) {
  make_leg();
  run_until(leg->close());
  start();
  EXPECT_EQ(wait_for_end().kind, Kind::closed);
  EXPECT_TRUE(upgrades.empty());
}

TEST_P(AgentSessionPhase, ends_soon_when_we_close) {
  reach(GetParam());
  run_until(leg->close());
  EXPECT_EQ(wait_for_end().kind, Kind::closed);
  leg.reset();
  let_go();
}

TEST_P(AgentSessionPhase, ends_soon_when_cancelled) {
  reach(GetParam());
  stop.emit(asio::cancellation_type::terminal);
  EXPECT_EQ(wait_for_end().kind, Kind::closed);
  leg.reset();
  let_go();
}

TEST_P(AgentSessionPhase, ends_soon_when_closed_and_cancelled_at_once) {
  reach(GetParam());
  bool closed = false;
  asio::co_spawn(context_, leg->close(), [&](std::exception_ptr) { closed = true; });
  stop.emit(asio::cancellation_type::terminal);
  EXPECT_EQ(wait_for_end().kind, Kind::closed);
  EXPECT_TRUE(run_while([&] { return !closed; }));
  leg.reset();
  let_go();
}

std::string name_of(::testing::TestParamInfo<Phase> const& phase) {
  switch (phase.param) {
    case Phase::signed_url:
      return "signed_url";
    case Phase::upgrade:
      return "upgrade";
    case Phase::metadata:
      return "metadata";
    case Phase::talking:
      return "talking";
  }
  return "unknown";
}

INSTANTIATE_TEST_SUITE_P(AnyTime, AgentSessionPhase,
                         ::testing::Values(Phase::signed_url, Phase::upgrade, Phase::metadata, Phase::talking),
                         name_of);

// ---- discretion ----------------------------------------------------------------------------------------------------

TEST_F(AgentSessionEnd, the_log_has_ids_and_names_but_no_key_text_number_or_signature) {
  auto const path = ::testing::TempDir() + "agent_session_log.json";
  std::filesystem::remove(path);
  log = base::Log::to_file(path, base::LogLevel::debug);
  settings.api_key = base::Secret{"sk_very_secret"};
  request.dynamic_variables = {{"caller_id", std::string{"+15550001111"}}};
  request.first_message = "Secret greeting";
  agent({[](Line& line) -> base::Async<> {
    line.says(metadata);
    line.says(R"({"type":"agent_response","agent_response_event":{"agent_response":"Secret words","event_id":1}})");
    line.says(
        R"({"type":"user_transcript","user_transcription_event":{"user_transcript":"Secret wish","event_id":1}})");
    line.says(R"({"type":"audio","audio_event":{"audio_base_64":"Secret?","event_id":1}})");
    co_await line.closes(1008, "bad caller +15550001111");
  }});
  EXPECT_EQ(converse().kind, Kind::refused);
  log.flush();
  std::string text;
  auto const read_log = [&] {
    std::ifstream file{path};
    text.assign(std::istreambuf_iterator<char>{file}, {});
    return text.find("agent conversation failed") == std::string::npos;
  };
  ASSERT_TRUE(run_while(read_log)) << text;
  EXPECT_NE(text.find("conv_1"), std::string::npos);
  EXPECT_NE(text.find("caller_id"), std::string::npos);
  for (char const* secret : {"sk_very_secret", "Secret", "5550001111", "sig1", "conversation_signature"})
    EXPECT_EQ(text.find(secret), std::string::npos) << secret;
}

}  // namespace
}  // namespace gateway::elevenlabs
