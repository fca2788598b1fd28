// Who gets in, who does not, and that those inside do not notice.
#include <gmock/gmock.h>

#include <cstdlib>
#include <deque>

#include "tests/flow/raw_stream.h"

namespace flow {
namespace {

using testing::HasSubstr;

/// A call that somebody else holds, heard from both sides.
Agent steady_talker(milliseconds length) {
  auto agent = agent_saying(voiced("Side right, over and over again.", 7, length));
  std::erase(agent.client_events, "interruption");
  return agent;
}

/// A reset may overtake the close frame.
auto const cut_off = testing::AnyOf(1006, 1009);

class MediaDoor : public FlowTest {
 protected:
  /// A call known to the gateway, whose stream has not been opened.
  std::string ring(std::string const& number) {
    auto const sid = sim::twilio::new_sid("CA");
    invite(sid, number);
    return sid;
  }
  Invitation invite(std::string const& sid, std::string const& number) {
    auto const answer = scene().post("/api/twilio/voice-callback", scene().voice_form(sid, number));
    EXPECT_EQ(answer.status, 200U);
    auto const invitation = invitation_in(answer.body);
    EXPECT_FALSE(invitation.ticket.empty()) << answer.body;
    return invitation;
  }
  void end(std::string const& sid, std::string const& number) {
    auto form = scene().voice_form(sid, number);
    for (auto& [name, value] : form)
      if (name == "CallStatus") value = "completed";
    EXPECT_EQ(scene().post("/api/twilio/status-callback", form).status, 204U);
  }
  /// The close code of a stream that sends this ticket with this CallSid.
  int fate_of(std::string const& sid, Invitation const& invitation) {
    auto const attempt = [&]() -> base::Async<int> {
      RawStream stream{scene(), sid};
      auto const opened = co_await stream.connect(invitation.url);
      if (!opened) co_return -1;
      stream.send_connected();
      stream.send_start(invitation.ticket);
      auto const code = co_await stream.close_code(3s);
      co_await stream.hang_up();
      co_return code;
    };
    return scene().run(attempt());
  }
};

TEST_F(MediaDoor, webhooks_without_the_right_signature_are_refused_and_begin_nothing) {
  auto const number = scene().hire(agent_saying(words("Hello.")));
  scene().open();
  auto const form = scene().voice_form(sim::twilio::new_sid("CA"), number);
  for (auto const* path : {"/api/twilio/voice-callback", "/api/twilio/voice-resume", "/api/twilio/voice-fallback",
                           "/api/twilio/status-callback"}) {
    EXPECT_EQ(scene().post(path, form, Signing::none).status, 403U) << path;
    EXPECT_EQ(scene().post(path, form, Signing::wrong_token).status, 403U) << path;
    auto altered = form;
    altered.emplace_back("Digits", "1");
    net::HttpCall call;
    call.method = "POST";
    call.url = scene().base_url() + path;
    call.headers.add("Content-Type", "application/x-www-form-urlencoded");
    call.headers.add("X-Twilio-Signature", scene().sign(call.url, form));
    call.body = net::encode_form(altered);
    EXPECT_EQ(scene().send(call).status, 403U) << path;
  }
  EXPECT_EQ(scene().metric("switchboard_webhooks_forged_total"), 12);
  EXPECT_EQ(scene().process().live_calls(), 0U);
  EXPECT_EQ(scene().records(), 0U);
}

TEST_F(MediaDoor, a_replayed_webhook_is_the_same_call_and_one_row) {
  auto const number = scene().hire(steady_talker(10s));
  scene().open();
  auto const call = scene().place(scene().plan(number));
  call.until(EventKind::first_audio);
  auto const first = invite(call.sid(), number);
  auto const second = invite(call.sid(), number);
  EXPECT_NE(first.ticket, second.ticket);
  EXPECT_EQ(scene().process().live_calls(), 1U);
  EXPECT_EQ(scene().conversations(number).size(), 1U);
  scene().hang_up(call);
  call.result();
  EXPECT_EQ(scene().record(call.sid()).ending, "caller_hung_up");
  EXPECT_EQ(scene().records(), 1U);
  // Once more after the end: nothing is to be had any more.
  auto const late = scene().post("/api/twilio/voice-callback", scene().voice_form(call.sid(), number));
  EXPECT_EQ(late.status, 200U);
  EXPECT_EQ(late.body.find("<Stream"), std::string::npos) << late.body;
  EXPECT_EQ(scene().process().live_calls(), 0U);
  EXPECT_EQ(scene().records(), 1U);
}

TEST_F(MediaDoor, the_socket_that_has_kept_its_start_back_longest_makes_way_for_a_new_one_and_live_streams_stay) {
  auto const tune = [](config::Settings& settings) {
    settings.cores = 1;
    settings.media.preauth_timeout = 60s;
    settings.limits.max_unproven_of_address = 16;
  };
  auto const number = scene(tune).hire(steady_talker(4s));
  scene().open();
  auto plan = scene().plan(number);
  plan.caller.speech = speech(8s);
  plan.caller.speech_at = 0ms;
  auto const live = scene().place(plan);
  live.until(EventKind::first_audio);

  auto const url = invite(ring(number), number).url;
  auto const crowd = [&]() -> base::Async<> {
    std::deque<RawStream> sockets;
    for (int i = 0; i < 20; ++i) {
      auto& socket = sockets.emplace_back(scene(), sim::twilio::new_sid("CA"));
      auto const opened = co_await socket.connect(url);
      EXPECT_TRUE(opened);
      socket.send_connected();
    }
    for (std::size_t i = 0; i < 4; ++i) {
      auto const code = co_await sockets[i].close_code(3s);
      EXPECT_EQ(code, 1006) << i;
    }
    EXPECT_TRUE(sockets.back().is_open());
    for (auto& socket : sockets) co_await socket.hang_up();
  };
  scene().run(crowd());
  EXPECT_GE(scene().metric("switchboard_unproven_connections_dropped_total{of=\"address\"}"), 4);
  scene().hang_up(live);
  EXPECT_EQ(live.result().streams.at(0).frames_lost, 0U);
  EXPECT_EQ(scene().record(live.sid()).ending, "caller_hung_up");
}

TEST_F(MediaDoor, sockets_that_prove_nothing_are_turned_away_and_the_live_call_does_not_notice) {
  auto const tune = [](config::Settings& settings) { settings.media.preauth_timeout = 700ms; };
  auto const number = scene(tune).hire(steady_talker(4s));
  scene().open();
  auto plan = scene().plan(number);
  plan.caller.speech = speech(8s);
  plan.caller.speech_at = 0ms;
  auto const live = scene().place(plan);
  live.until(EventKind::first_audio);

  auto const victim = ring(number);
  auto const invitation = invite(victim, number);
  auto const attack = [&]() -> base::Async<> {
    for (auto const door : {RawStream::Door::unsigned_, RawStream::Door::signed_wrongly}) {
      RawStream stream{scene(), victim};
      auto const opened = co_await stream.connect(invitation.url, door);
      EXPECT_FALSE(opened);
      if (!opened) EXPECT_THAT(opened.error().detail, HasSubstr("403"));
    }
    RawStream silent{scene(), victim};
    auto const opened = co_await silent.connect(invitation.url);
    EXPECT_TRUE(opened);
    silent.send_connected();
    auto const code = co_await silent.close_code(3s);
    EXPECT_EQ(code, 1008) << "no start was sent";
    co_await silent.hang_up();
  };
  scene().run(attack());
  EXPECT_EQ(fate_of(victim, {invitation.url, ""}), 1008) << "no ticket";
  EXPECT_EQ(fate_of(victim, {invitation.url, "v1.00000000.e30.00"}), 1008) << "an invented ticket";
  auto altered = invitation;
  altered.ticket.back() = altered.ticket.back() == '0' ? '1' : '0';
  EXPECT_EQ(fate_of(victim, altered), 1008) << "an altered ticket";
  EXPECT_EQ(fate_of(live.sid(), invitation), 1008) << "another call's ticket";
  EXPECT_EQ(fate_of(victim, invite(live.sid(), number)), 1008) << "the live call's ticket for another call";
  EXPECT_EQ(fate_of(sim::twilio::new_sid("CA"), invitation), 1008) << "a call that is not there";
  EXPECT_EQ(fate_of(live.sid(), invite(live.sid(), number)), 1008) << "a second stream for a call that has one";

  scene().hang_up(live);
  auto const& result = live.result();
  EXPECT_TRUE(result.clean());
  EXPECT_EQ(result.streams.at(0).underruns, 0U);
  EXPECT_EQ(scene().record(live.sid()).stream_count, 1);
  auto const conversation = scene().conversations_of_call(live.sid()).at(0);
  EXPECT_EQ(position(result.streams[0].received, conversation.agent_audio), 0U);
  auto said = speech(8s);
  said.resize(result.streams[0].frames_sent * media::mulaw_frame_bytes);
  EXPECT_TRUE(conversation.caller_audio == said) << "the live call has suffered";
  end(victim, number);
  EXPECT_EQ(scene().record(victim).stream_count, 0);
}

TEST_F(MediaDoor, a_ticket_opens_one_stream_whoever_races_for_it) {
  auto const number = scene().hire(steady_talker(5s));
  scene().open();
  auto const sid = ring(number);
  auto const invitation = invite(sid, number);
  constexpr std::size_t racers = 50;
  auto const race = [&]() -> base::Async<> {
    std::vector<std::unique_ptr<RawStream>> streams;
    for (std::size_t i = 0; i < racers; ++i) {
      streams.push_back(std::make_unique<RawStream>(scene(), sid));
      auto const opened = co_await streams.back()->connect(invitation.url);
      EXPECT_TRUE(opened);
      streams.back()->send_connected();
    }
    for (auto& stream : streams) stream->send_start(invitation.ticket);
    std::size_t refused = 0;
    std::size_t served = 0;
    for (auto& stream : streams) {
      auto const is_served = co_await stream->is_served();
      served += is_served ? 1 : 0;
      if (is_served) continue;
      auto const code = co_await stream->close_code();
      refused += code == 1008 ? 1 : 0;
    }
    EXPECT_EQ(served, 1U);
    EXPECT_EQ(refused, racers - 1);
    for (auto& stream : streams) co_await stream->hang_up();
  };
  scene().run(race());
  EXPECT_EQ(fate_of(sid, invitation), 1008) << "the ticket was used";
  EXPECT_EQ(scene().metric("switchboard_streams_accepted_total"), 1);
  end(sid, number);
  auto const record = scene().record(sid);
  EXPECT_EQ(record.stream_count, 1);
  EXPECT_EQ(scene().records(), 1U);
}

TEST_F(MediaDoor, nonsense_on_a_stream_is_skipped_and_giants_end_it) {
  auto const number = scene().hire(steady_talker(10s));
  scene().open();
  auto const sid = ring(number);
  auto const invitation = invite(sid, number);
  auto const talk = [&]() -> base::Async<> {
    RawStream stream{scene(), sid};
    auto const opened = co_await stream.connect(invitation.url);
    EXPECT_TRUE(opened);
    stream.send_connected();
    stream.send_start(invitation.ticket);
    auto served = co_await stream.is_served();
    EXPECT_TRUE(served);
    for (auto const* text : {"", "null", "[]", "{}", "{\"event\":", R"({"event":"media"})",
                             R"({"event":"media","media":{"payload":"%%%%"}})",
                             R"({"event":"media","media":{"payload":17,"chunk":"x","timestamp":[]}})",
                             R"({"event":"mark","mark":{}})", R"({"event":"dtmf","dtmf":{"digit":"no digit"}})",
                             R"({"event":"tomorrow","tomorrow":{}})", R"({"event":"start","start":{}})"})
      stream.send(text);
    stream.send_binary(100);
    stream.send(std::string(60 * 1024, '['));
    for (int i = 0; i < 5; ++i) stream.send_audio(0x42);
    auto const before = stream.messages();
    auto const goes_on = co_await stream.until([&] { return stream.messages() > before + 10; });
    EXPECT_TRUE(goes_on) << "the stream was lost to nonsense";
    EXPECT_TRUE(stream.is_open());
    stream.send(std::string(70 * 1024, ' '));
    auto const code = co_await stream.close_code();
    EXPECT_THAT(code, cut_off);
    co_await stream.hang_up();
  };
  scene().run(talk());
  auto const conversation = scene().conversations_of_call(sid).at(0);
  Mulaw const spoken(5 * media::mulaw_frame_bytes, 0x42);
  EXPECT_TRUE(position(spoken, conversation.caller_audio)) << "audio after the nonsense did not arrive";
  EXPECT_GT(scene().metric("switchboard_stream_messages_malformed_total"), 5);

  // Before the start there is less patience.
  auto const flood = [&](std::string text, int times) -> base::Async<int> {
    RawStream stream{scene(), sid};
    auto const opened = co_await stream.connect(invitation.url);
    EXPECT_TRUE(opened);
    for (int i = 0; i < times; ++i) stream.send(text);
    auto const code = co_await stream.close_code(1s);
    co_await stream.hang_up();
    co_return code;
  };
  EXPECT_THAT(scene().run(flood(std::string(20 * 1024, ' '), 1)), cut_off);
  EXPECT_THAT(scene().run(flood("{}", 10)), cut_off);
  EXPECT_THAT(scene().run(flood(std::string(70 * 1024, ' '), 1)), cut_off);
  end(sid, number);
  scene().record(sid);
}

TEST_F(MediaDoor, a_carrier_that_stops_reading_harms_nobody_else) {
  auto const number = scene().hire(steady_talker(4s));
  scene().open();
  auto plan = scene().plan(number);
  plan.caller.hang_up_after = 5s;
  auto stuck = plan;
  stuck.caller.stop_reading = sim::twilio::Interval{500ms, 3s};
  auto const deaf = scene().place(stuck);
  auto const other = scene().place(plan);
  auto const& result = other.result();
  EXPECT_TRUE(result.clean());
  EXPECT_TRUE(position(scene().conversations_of_call(other.sid()).at(0).agent_audio, result.heard));
  EXPECT_EQ(result.streams.at(0).underruns, 0U);
  EXPECT_EQ(deaf.result().ending, CallEnding::hung_up_by_caller);
  EXPECT_EQ(scene().record(deaf.sid()).ending, "caller_hung_up");
  EXPECT_EQ(scene().record(other.sid()).ending, "caller_hung_up");
}

TEST_F(MediaDoor, a_ticket_is_worth_nothing_after_a_minute) {
  if (std::getenv("SWITCHBOARD_TEST_SLOW") == nullptr) GTEST_SKIP() << "takes a minute: set SWITCHBOARD_TEST_SLOW";
  auto const number = scene().hire(steady_talker(1s));
  scene().open();
  auto plan = scene().plan(number);
  plan.caller.hang_up_after = 90s;
  plan.caller.speech = speech(80s);
  auto const call = scene().place(plan);
  call.until(EventKind::first_audio);
  auto const begun = scene().time().now();
  auto const old = invite(call.sid(), number);
  EXPECT_TRUE(scene().until([&] { return scene().time().now() > begun + 61s; }, 70s));
  EXPECT_EQ(scene().process().live_calls(), 1U);
  EXPECT_EQ(fate_of(call.sid(), old), 1008);
  EXPECT_THAT(scene().log(), HasSubstr("ticket has expired"));
  scene().hang_up(call);
  call.result();
}

}  // namespace
}  // namespace flow
