#include "tests/sim/twilio_scene.h"

namespace sim::twilio {
namespace {

using namespace twilio_scene;

/// Answers with a stream and hangs up when it ends.
Scene& streaming(Scene& scene) {
  scene.document("/voice", scene.connect());
  return scene;
}

TEST(SimStream, begins_with_connected_start_and_media_in_one_string_numbered_sequence) {
  Scene scene;
  scene.document("/voice", scene.connect(R"(<Parameter name="ticket" value="t1"/>)"));
  auto plan = scene.plan();
  plan.caller.hang_up_after = 300ms;
  plan.caller.dtmf = "5";
  plan.caller.dtmf_at = 100ms;

  auto const result = scene.call(plan);

  ASSERT_EQ(scene.streams.size(), 1u);
  auto const& arrivals = scene.streams[0]->arrivals;
  ASSERT_GT(arrivals.size(), 10u);
  EXPECT_EQ(arrivals[0].message, (Json{{"event", "connected"}, {"protocol", "Call"}, {"version", "1.0.0"}}));
  auto const& start = arrivals[1].message;
  EXPECT_EQ(start["start"]["callSid"], result.call_sid);
  EXPECT_EQ(start["start"]["accountSid"], account_sid);
  EXPECT_EQ(start["start"]["customParameters"], (Json{{"ticket", "t1"}}));
  for (std::size_t i = 1; i < arrivals.size(); ++i) EXPECT_EQ(arrivals[i].message["sequenceNumber"], std::to_string(i));
  auto const media = scene.streams[0]->of("media");
  auto const first = std::stoi(media[0]["media"]["timestamp"].get<std::string>());
  EXPECT_GE(first, 100);
  EXPECT_LE(first, 200);
  for (std::size_t i = 0; i < media.size(); ++i) {
    EXPECT_EQ(media[i]["media"]["chunk"], std::to_string(i + 1));
    EXPECT_EQ(media[i]["media"]["timestamp"], std::to_string(first + 20 * static_cast<int>(i)));
    EXPECT_EQ(media[i]["media"]["payload"].get<std::string>().size(), 216u);
  }
  EXPECT_EQ(scene.streams[0]->of("dtmf").at(0)["dtmf"], (Json{{"track", "inbound_track"}, {"digit", "5"}}));
  EXPECT_EQ(arrivals.back().message["event"], "stop");
  EXPECT_TRUE(result.clean()) << all_violations(result);
}

TEST(SimStream, sends_fifty_frames_a_second_by_an_absolute_clock) {
  Scene scene;
  auto plan = streaming(scene).plan();
  plan.caller.hang_up_after = 1500ms;
  plan.caller.speech = tone(200ms);
  plan.caller.speech_at = 300ms;

  auto const result = scene.call(plan);

  auto const media = scene.streams.at(0)->of("media");
  EXPECT_NEAR(static_cast<double>(media.size()), 74.0, 4.0);
  EXPECT_EQ(media.size(), result.streams.at(0).frames_sent);
  std::string silence;
  base::append_base64(silence, std::vector<std::uint8_t>(160, 0xFF));
  // 300 ms in comes frame 14 (the first one leaves after 20 ms); it speaks for ten frames.
  for (std::size_t i = 0; i < 40; ++i) EXPECT_EQ(media[i]["media"]["payload"] == silence, i < 14 || i >= 24) << i;
  EXPECT_EQ(events_of(result, EventKind::caller_speaks).size(), 1u);
  EXPECT_EQ(events_of(result, EventKind::caller_silent).size(), 1u);
}

TEST(SimStream, signs_the_upgrade_for_the_url_in_the_document) {
  Scene scene;
  auto plan = streaming(scene).plan();
  scene.bot = close_at_once;
  scene.run([&]() -> base::Async<> {
    for (auto const signing :
         {Signing::correct, Signing::trailing_slash, Signing::wrong_token, Signing::https_scheme, Signing::none}) {
      plan.stream_signing = signing;
      (void)co_await scene.carrier.place_call(plan);
    }
  });
  ASSERT_EQ(scene.upgrades.size(), 5u);
  auto const header = [&](std::size_t i) { return std::string{scene.upgrades[i].headers.find("x-twilio-signature")}; };
  EXPECT_EQ(header(0), sign(auth_token, scene.stream_url()));
  EXPECT_EQ(header(1), sign(auth_token, scene.stream_url() + "/"));
  EXPECT_NE(header(2), header(0));
  EXPECT_EQ(header(3), sign(auth_token, "http" + scene.stream_url().substr(2)));
  EXPECT_TRUE(header(4).empty());
}

TEST(SimStream, echoes_marks_when_their_audio_has_been_heard_and_at_once_when_nothing_is_queued) {
  Scene scene;
  streaming(scene);
  Clock::time_point sent;
  scene.bot = [&](StreamEndpoint& stream, Json const& message) {
    if (message["event"] == "start") {
      stream.mark("empty");
      stream.media(tone(400ms));
      stream.mark("after 400 ms");
      sent = Clock::now();
    }
    if (message["event"] == "mark" && message["mark"]["name"] == "after 400 ms") stream.close(1000);
  };

  auto const result = scene.call(scene.plan());

  auto const& arrivals = scene.streams.at(0)->arrivals;
  std::map<std::string, double> echoed;
  for (auto const& arrival : arrivals)
    if (arrival.message["event"] == "mark")
      echoed[arrival.message["mark"]["name"]] = std::chrono::duration<double, std::milli>(arrival.when - sent).count();
  EXPECT_LT(echoed.at("empty"), 50);
  EXPECT_GE(echoed.at("after 400 ms"), 395);
  EXPECT_LT(echoed.at("after 400 ms"), 550);
  EXPECT_EQ(result.streams.at(0).marks_echoed, 2u);
  EXPECT_EQ(result.streams.at(0).received, tone(400ms));
  EXPECT_EQ(result.streams.at(0).end, StreamEnd::gateway_closed);
  EXPECT_EQ(result.ending, CallEnding::hung_up_by_document);
  EXPECT_TRUE(result.clean()) << all_violations(result);
}

TEST(SimStream, clear_silences_the_agent_within_a_frame_and_returns_marks_before_later_ones) {
  Scene scene;
  streaming(scene);
  std::size_t frames = 0;
  scene.bot = [&](StreamEndpoint& stream, Json const& message) {
    if (message["event"] == "start") {
      stream.media(tone(5000ms));
      stream.mark("first");
      stream.mark("second");
    }
    if (message["event"] == "media" && ++frames == 25) {
      stream.clear();
      stream.mark("later");
    }
    if (message["event"] == "mark" && message["mark"]["name"] == "later") stream.close(1000);
  };

  auto const result = scene.call(scene.plan());

  auto const marks = scene.streams.at(0)->of("mark");
  ASSERT_EQ(marks.size(), 3u);
  EXPECT_EQ(marks[0]["mark"]["name"], "first");
  EXPECT_EQ(marks[1]["mark"]["name"], "second");
  EXPECT_EQ(marks[2]["mark"]["name"], "later");
  auto const& stream = result.streams.at(0);
  ASSERT_EQ(stream.clear_to_silence_ms.size(), 1u);
  EXPECT_LE(stream.clear_to_silence_ms[0], 20.0);
  auto const loud = std::count_if(result.heard.begin(), result.heard.end(), [](auto byte) { return byte != 0xFF; });
  EXPECT_NEAR(static_cast<double>(loud) / 8, 500, 120);  // of the five seconds sent
  EXPECT_TRUE(result.clean()) << all_violations(result);
}

TEST(SimStream, puts_what_the_caller_heard_on_the_time_axis_of_the_call) {
  Scene scene;
  streaming(scene);
  scene.bot = [&](StreamEndpoint& stream, Json const& message) {
    if (message["event"] != "start") return;
    stream.media(tone(200ms));
    stream.mark("end");
  };
  auto plan = scene.plan();
  plan.caller.hang_up_after = 700ms;

  auto const result = scene.call(plan);

  auto const first = std::find_if(result.heard.begin(), result.heard.end(), [](auto byte) { return byte != 0xFF; });
  auto const heard_at_ms = static_cast<double>(first - result.heard.begin()) / 8;
  auto const spoke = events_of(result, EventKind::agent_speaks);
  ASSERT_EQ(spoke.size(), 1u);
  EXPECT_NEAR(heard_at_ms, static_cast<double>(spoke[0].at.count()) / 1000, 25);
  EXPECT_EQ(Mulaw(first, first + 1600), tone(200ms));
  EXPECT_EQ(events_of(result, EventKind::agent_silent).size(), 1u);
  EXPECT_EQ(result.streams.at(0).agent_turns, 1u);
  EXPECT_LT(*result.streams.at(0).first_audio_ms, 100);
}

TEST(SimStream, counts_each_hole_in_the_agents_speech_and_how_late_audio_came) {
  Scene scene;
  streaming(scene);
  std::size_t frames = 0;
  scene.bot = [&](StreamEndpoint& stream, Json const& message) {
    if (message["event"] != "media") return;
    ++frames;
    if (frames == 1 || frames == 16) stream.media(tone(200ms));  // 300 ms apart: 100 ms of hole
  };
  auto plan = scene.plan();
  plan.caller.hang_up_after = 800ms;

  auto const result = scene.call(plan);

  EXPECT_EQ(result.streams.at(0).underruns, 1u);
  EXPECT_NEAR(result.streams.at(0).arrival_lateness.max, 100, 60);
}

TEST(SimStream, measures_lateness_against_the_first_message_of_a_stretch_of_audio) {
  Scene scene;
  streaming(scene);
  scene.bot = [](StreamEndpoint& stream, Json const& message) {
    if (message["event"] == "media") stream.media(tone(20ms));
  };
  auto plan = scene.plan();
  plan.caller.hang_up_after = 1000ms;
  auto jittery = plan;
  jittery.caller.pacing = Pacing::jitter;
  std::vector<CallResult> results;
  scene.run([&]() -> base::Async<> {
    results.push_back(co_await scene.carrier.place_call(plan));
    results.push_back(co_await scene.carrier.place_call(jittery));
  });
  EXPECT_NEAR(results[0].streams.at(0).arrival_lateness.p50, 0, 15);
  EXPECT_EQ(results[0].streams.at(0).arrival_lateness.count, results[0].streams.at(0).media_messages);
  auto const& jitter = results[1].streams.at(0).arrival_lateness;
  EXPECT_GT(jitter.max - jitter.p50, 5);
}

TEST(SimStream, drops_and_reports_messages_twilio_would_not_take) {
  Scene scene;
  streaming(scene);
  scene.bot = [&](StreamEndpoint& stream, Json const& message) {
    if (message["event"] != "start") return;
    stream.send({{"event", "clear"}, {"streamSid", stream.stream_sid()}, {"sequenceNumber", "1"}});
    stream.send_raw("not json");
    stream.media(tone(20ms));
  };
  auto plan = scene.plan();
  plan.caller.hang_up_after = 200ms;

  auto const result = scene.call(plan);

  ASSERT_EQ(result.violations.size(), 1u) << all_violations(result);  // raised once a stream
  EXPECT_EQ(result.violations[0].code, 31951);
  EXPECT_EQ(result.streams.at(0).clears, 0u);
  EXPECT_EQ(result.streams.at(0).media_messages, 1u);
  EXPECT_FALSE(result.clean());
}

TEST(SimStream, interrupts_the_agent_while_it_speaks_and_measures_the_answer) {
  Scene scene;
  streaming(scene);
  std::string const loud_frame = [] {
    std::string text;
    base::append_base64(text, tone(20ms));
    return text;
  }();
  bool cleared = false;
  scene.bot = [&](StreamEndpoint& stream, Json const& message) {
    if (message["event"] == "start") stream.media(tone(3000ms));
    if (message["event"] == "media" && message["media"]["payload"] == loud_frame && !cleared) {
      cleared = true;
      stream.clear();
    }
  };
  auto plan = scene.plan();
  plan.caller.hang_up_after = 900ms;
  plan.caller.barge_in_at = 400ms;
  plan.caller.barge_in_speech = tone(200ms);

  auto const result = scene.call(plan);

  auto const& stream = result.streams.at(0);
  ASSERT_TRUE(stream.barge_in_ms.has_value());
  EXPECT_LT(*stream.barge_in_ms, 150);
  auto const interruptions = events_of(result, EventKind::caller_speaks);
  ASSERT_EQ(interruptions.size(), 1u);
  EXPECT_EQ(interruptions[0].detail, "interrupts");
}

TEST(SimStream, may_break_without_a_stop_message) {
  Scene scene;
  auto plan = streaming(scene).plan();
  plan.caller.drop_tcp_after = 100ms;

  auto const result = scene.call(plan);

  EXPECT_EQ(result.streams.at(0).end, StreamEnd::connection_dropped);
  EXPECT_TRUE(scene.streams.at(0)->of("stop").empty());
  EXPECT_EQ(scene.streams.at(0)->closed.code, 1006);
}

TEST(SimStream, reports_an_error_close_code_and_goes_on_with_the_next_verb) {
  Scene scene;
  scene.document("/voice", scene.connect() + "<Say>next</Say>");
  scene.bot = [](StreamEndpoint& stream, Json const& message) {
    if (message["event"] == "start") stream.close(1011);
  };

  auto const result = scene.call(scene.plan());

  EXPECT_TRUE(has_violation(result, 31921));
  EXPECT_EQ(result.streams.at(0).close_code, 1011);
  EXPECT_EQ(result.said, (std::vector<std::string>{"next"}));
}

TEST(SimStream, reports_a_refused_upgrade_and_goes_on_with_the_next_verb) {
  Scene scene;
  scene.document("/voice", scene.connect() + "<Say>next</Say>");
  scene.refuse_upgrade_with = 403;

  auto const result = scene.call(scene.plan());

  EXPECT_TRUE(has_violation(result, 31920)) << all_violations(result);
  EXPECT_EQ(result.said.size(), 1u);
}

TEST(SimStream, takes_plain_sockets_only_when_asked_to_and_only_inbound_tracks) {
  Scene scene;
  scene.document("/voice", scene.connect());
  auto strict = scene.plan();
  strict.allow_plain_loopback = false;
  scene.document("/both", "<Connect><Stream url=\"" + scene.stream_url() + "\" track=\"both_tracks\"/></Connect>");
  auto both = scene.plan();
  both.voice_url = scene.url("/both");
  std::vector<CallResult> results;
  scene.run([&]() -> base::Async<> {
    results.push_back(co_await scene.carrier.place_call(strict));
    results.push_back(co_await scene.carrier.place_call(both));
  });
  EXPECT_TRUE(has_violation(results[0], 31922));
  EXPECT_TRUE(has_violation(results[1], 31941));
  EXPECT_TRUE(scene.upgrades.empty());
}

TEST(SimStream, drops_a_query_from_the_stream_url_as_twilio_does) {
  Scene scene;
  scene.document("/voice", "<Connect><Stream url=\"" + scene.stream_url() + "?a=1\"/></Connect>");
  scene.bot = close_at_once;

  auto const result = scene.call(scene.plan());

  ASSERT_EQ(scene.upgrades.size(), 1u);
  EXPECT_EQ(scene.upgrades[0].target, "/media");
  EXPECT_TRUE(has_violation(result, 12200));
}

TEST(SimStream, sends_three_frames_at_once_in_bursts_and_all_missed_frames_after_a_stall) {
  Scene scene;
  auto plan = streaming(scene).plan();
  plan.caller.hang_up_after = 600ms;
  plan.caller.pacing = Pacing::bursts;
  auto stalled = plan;
  stalled.caller.pacing = Pacing::steady;
  stalled.caller.stall = Interval{200ms, 200ms};
  scene.run([&]() -> base::Async<> {
    (void)co_await scene.carrier.place_call(plan);
    (void)co_await scene.carrier.place_call(stalled);
  });
  auto const gaps_over = [&](std::size_t stream, std::chrono::milliseconds limit) {
    int count = 0;
    auto const& arrivals = scene.streams.at(stream)->arrivals;
    for (std::size_t i = 3; i < arrivals.size(); ++i)
      if (arrivals[i].when - arrivals[i - 1].when > limit) ++count;
    return count;
  };
  EXPECT_GE(gaps_over(0, 45ms), 7);
  EXPECT_EQ(gaps_over(1, 150ms), 1);
  EXPECT_GE(scene.streams.at(1)->of("media").size(), 27u);
}

TEST(SimStream, can_stop_reading_until_the_gateways_window_is_full) {
  Scene scene;
  streaming(scene);
  std::size_t media_sent = 0;
  scene.bot = [&](StreamEndpoint& stream, Json const& message) {
    if (message["event"] != "media") return;
    stream.media(tone(1000ms));  // 10 KB each; a megabyte waits somewhere by the end
    ++media_sent;
  };
  auto plan = scene.plan();
  plan.caller.hang_up_after = 1200ms;
  plan.caller.stop_reading = Interval{100ms, 1000ms};

  auto const result = scene.call(plan);

  EXPECT_LT(result.streams.at(0).media_messages, media_sent);
  EXPECT_GT(media_sent, 40u);  // the caller's frames went on meanwhile
}

}  // namespace
}  // namespace sim::twilio
