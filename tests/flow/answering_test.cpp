// The phone is picked up: how fast, and what those hear whom no agent can serve.
#include <gmock/gmock.h>

#include "loadtest/sim/twilio/exchange.h"
#include "tests/flow/scene.h"

namespace flow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Answering : public FlowTest {};

TEST_F(Answering, lets_the_agents_first_word_out_as_soon_as_the_stream_opens) {
  auto const number = scene().hire(agent_saying(words("Hello, how can I help you?", 1s)),
                                   [](crm::VoiceAgent& agent) { agent.start_pause = 1s; });
  scene().open();
  std::vector<PlacedCall> calls;
  constexpr std::size_t count = 10;
  for (std::size_t i = 0; i < count; ++i) {
    auto plan = scene().plan(number);
    plan.ring_for = milliseconds{20 + 37 * i};
    plan.caller.hang_up_after = 3s;
    calls.push_back(scene().place(std::move(plan)));
  }
  std::vector<double> first_audio;
  for (auto const& call : calls) {
    auto const& stream = call.result().streams.at(0);
    ASSERT_TRUE(stream.first_audio_ms);
    first_audio.push_back(*stream.first_audio_ms);
  }
  auto const seconds = scene().metric("switchboard_first_audio_seconds_sum");
  EXPECT_EQ(scene().metric("switchboard_first_audio_seconds_count"), static_cast<double>(count));
  std::cout << "first audio after start: median " << median(first_audio) << " ms at the carrier, mean "
            << seconds * 1000 / count << " ms in the gateway\n";
  if (is_sanitized) return;
  EXPECT_LE(median(first_audio), 30.0);
  EXPECT_LE(seconds / count, 0.030);
}

TEST_F(Answering, does_not_wait_for_the_agent_service_which_may_be_down) {
  auto const tune = [](config::Settings& settings) { settings.elevenlabs.api_base_url = "http://127.0.0.1:1"; };
  auto const number = scene(tune).hire(agent_saying(words("Nobody will hear this.")));
  scene().open();
  constexpr int webhooks = 200;
  std::vector<double> took;
  for (int i = 0; i < webhooks; ++i) {
    auto const form = scene().voice_form(sim::twilio::new_sid("CA"), number);
    auto const begun = scene().time().now();
    auto const answer = scene().post("/api/twilio/voice-callback", form);
    took.push_back(std::chrono::duration<double, std::milli>(scene().time().now() - begun).count());
    ASSERT_EQ(answer.status, 200U);
    ASSERT_THAT(answer.body, HasSubstr("<Stream"));
  }
  std::ranges::sort(took);
  auto const p99 = took[webhooks * 99 / 100];
  std::cout << "webhook: median " << took[webhooks / 2] << " ms, p99 " << p99 << " ms\n";
  EXPECT_EQ(scene().process().live_calls(), static_cast<std::size_t>(webhooks));
  if (is_optimized) EXPECT_LE(p99, 20.0);
}

TEST_F(Answering, tells_callers_politely_when_no_agent_can_serve_them) {
  auto const long_talk = [] { return agent_saying(words("Hello.", 10s)); };
  auto const ordinary = scene().hire(long_talk());
  auto const asleep = scene().hire(long_talk(), [](crm::VoiceAgent& agent) { agent.active = false; });
  scene().found_tenant([](crm::Tenant& tenant) { tenant.max_concurrent_calls = 1; });
  auto const small = scene().hire(long_talk());
  scene().found_tenant([](crm::Tenant& tenant) { tenant.active = false; });
  auto const gone = scene().hire(long_talk());
  scene().open();

  auto const on_the_line = scene().place(scene().plan(small));
  on_the_line.until(EventKind::first_audio);
  auto const unknown = scene().place(scene().plan("+15559999999"));
  auto const sleeping = scene().place(scene().plan(asleep));
  auto const closed = scene().place(scene().plan(gone));
  auto const second = scene().place(scene().plan(small));

  EXPECT_THAT(unknown.result().said, ElementsAre(HasSubstr("not in service")));
  EXPECT_THAT(sleeping.result().said, ElementsAre(HasSubstr("nobody can take your call")));
  EXPECT_THAT(closed.result().said, ElementsAre(HasSubstr("nobody can take your call")));
  EXPECT_THAT(second.result().said, ElementsAre(HasSubstr("lines are busy")));
  for (auto const& call : {unknown, sleeping, closed, second}) {
    EXPECT_EQ(call.result().ending, CallEnding::hung_up_by_document);
    EXPECT_TRUE(call.result().clean());
    EXPECT_TRUE(call.result().streams.empty());
  }
  EXPECT_TRUE(on_the_line.seen(EventKind::hung_up).empty()) << "the call that was there first has suffered";
  EXPECT_EQ(scene().records(), 1U) << "calls that nobody took are no calls of ours";
  (void)ordinary;
}

TEST_F(Answering, takes_no_more_calls_than_the_process_has_room_for) {
  auto const number =
      scene([](config::Settings& settings) { settings.limits.max_calls = 2; }).hire(agent_saying(words("Hello.", 10s)));
  scene().open();
  auto const plan = [&] {
    auto wanted = scene().plan(number);
    wanted.caller.hang_up_after = 2s;
    return wanted;
  };
  auto const first = scene().place(plan());
  auto const second = scene().place(plan());
  first.until(EventKind::first_audio);
  second.until(EventKind::first_audio);
  auto const third = scene().place(plan());
  EXPECT_THAT(third.result().said, ElementsAre(HasSubstr("lines are busy")));
  first.result();
  second.result();
  EXPECT_TRUE(scene().until([&] { return scene().process().live_calls() == 0; }));
  auto const fourth = scene().place(plan());
  fourth.until(EventKind::first_audio);
  EXPECT_TRUE(fourth.result().said.empty());
}

TEST_F(Answering, lets_calls_finish_and_turns_new_ones_away_while_it_drains) {
  auto const number = scene().hire(agent_saying(words("Hello.", 10s)));
  scene().open();
  auto plan = scene().plan(number);
  plan.caller.hang_up_after = 3s;
  auto const talking = scene().place(plan);
  talking.until(EventKind::first_audio);
  auto stopped = std::async(std::launch::async, [&] { return scene().process().stop(20s); });
  EXPECT_TRUE(scene().until([&] { return scene().log().find("\"draining\"") != std::string::npos; }));
  auto const late = scene().place(plan);
  EXPECT_THAT(late.result().said, ElementsAre(HasSubstr("lines are busy")));
  EXPECT_EQ(talking.result().ending, CallEnding::hung_up_by_caller);
  EXPECT_TRUE(stopped.get());
  EXPECT_EQ(scene().record(talking.sid()).ending, "caller_hung_up");
}

TEST_F(Answering, hangs_up_on_those_who_still_talk_when_the_grace_is_over) {
  auto const number = scene().hire(agent_saying(words("Hello.", 20s)));
  scene().open();
  auto const talking = scene().place(scene().plan(number));
  talking.until(EventKind::first_audio);
  EXPECT_TRUE(scene().process().stop(500ms));
  EXPECT_EQ(talking.result().ending, CallEnding::hung_up_by_rest);
  auto const record = scene().record(talking.sid());
  EXPECT_EQ(record.ending, "shut_down");
  EXPECT_EQ(record.blame, crm::Blame::us);
}

TEST_F(Answering, refuses_forms_it_cannot_read) {
  auto const number = scene().hire(agent_saying(words("Hello.")));
  scene().open();
  auto form = scene().voice_form("CA123", number);
  EXPECT_EQ(scene().post("/api/twilio/voice-callback", form).status, 400U);
  form = scene().voice_form("", number);
  EXPECT_EQ(scene().post("/api/twilio/status-callback", form).status, 400U);
  net::HttpCall call;
  call.method = "POST";
  call.url = scene().base_url() + "/api/twilio/voice-callback";
  call.headers.add("Content-Type", "application/x-www-form-urlencoded");
  call.headers.add("X-Twilio-Signature", scene().sign(call.url));
  call.body = "CallSid=%zz";
  EXPECT_EQ(scene().send(call).status, 400U);
  call.headers = {};
  call.headers.add("Content-Type", "application/json");
  call.headers.add("X-Twilio-Signature", scene().sign(call.url));
  call.body = R"({"CallSid":"CA"})";
  EXPECT_EQ(scene().send(call).status, 400U);
  EXPECT_EQ(scene().process().live_calls(), 0U);
}

}  // namespace
}  // namespace flow
