#include <set>

#include "tests/sim/twilio_scene.h"

namespace sim::twilio {
namespace {

using namespace twilio_scene;

std::string value(net::Form const& form, std::string_view name) {
  return std::string{net::find(form, name)};
}

TEST(SimCall, asks_with_the_whole_parameter_set_shuffled_and_correctly_signed) {
  Scene scene;
  scene.document("/voice", "<Hangup/>");
  auto plan = scene.plan();
  std::vector<std::string> orders;
  scene.run([&]() -> base::Async<> {
    for (std::uint32_t seed : {1, 2}) {
      plan.caller.seed = seed;
      (void)co_await scene.carrier.place_call(plan);
    }
  });
  ASSERT_EQ(scene.requests.size(), 2u);
  auto const form = *net::decode_form(scene.requests[0].body);
  std::set<std::string> names;
  for (auto const& [name, ignored] : form) names.insert(name);
  for (auto const* name :
       {"CallSid", "AccountSid", "From", "To", "Caller", "Called", "CallStatus", "ApiVersion", "Direction", "FromCity",
        "FromState", "FromZip", "FromCountry", "ToCity", "ToZip", "CalledCity", "CallerZip"})
    EXPECT_TRUE(names.contains(name)) << name;
  EXPECT_EQ(value(form, "CallStatus"), "ringing");
  EXPECT_EQ(value(form, "Direction"), "inbound");
  EXPECT_NE(scene.requests[0].body.find("ToCity=&"), std::string::npos);
  EXPECT_EQ(scene.requests[0].headers.find("x-twilio-signature"), sign(auth_token, scene.url("/voice"), form));
  EXPECT_FALSE(scene.requests[0].headers.find("i-twilio-idempotency-token").empty());
  auto const second = *net::decode_form(scene.requests[1].body);
  EXPECT_NE(form[0].first + form[1].first + form[2].first, second[0].first + second[1].first + second[2].first);
}

TEST(SimCall, signs_wrongly_or_not_at_all_on_request) {
  Scene scene;
  scene.document("/voice", "<Hangup/>");
  auto plan = scene.plan();
  scene.run([&]() -> base::Async<> {
    plan.webhook_signing = Signing::none;
    (void)co_await scene.carrier.place_call(plan);
    plan.webhook_signing = Signing::wrong_token;
    (void)co_await scene.carrier.place_call(plan);
  });
  EXPECT_TRUE(scene.requests[0].headers.find("x-twilio-signature").empty());
  auto const form = *net::decode_form(scene.requests[1].body);
  auto const given = scene.requests[1].headers.find("x-twilio-signature");
  EXPECT_FALSE(given.empty());
  EXPECT_NE(given, sign(auth_token, scene.url("/voice"), form));
}

TEST(SimCall, signs_for_the_public_base_and_reaches_the_gateway_where_it_listens) {
  Scene scene;
  scene.document("/voice", R"(<Redirect>https://voice.example.com/next</Redirect>)");
  scene.document("/next", R"(<Connect><Stream url="wss://voice.example.com/media"/></Connect>)");
  auto plan = scene.plan();
  plan.public_base = "https://voice.example.com";
  plan.allow_plain_loopback = false;
  scene.bot = close_at_once;

  auto const result = scene.call(plan);

  ASSERT_EQ(scene.requests.size(), 2u) << all_violations(result);
  auto const form = *net::decode_form(scene.requests[1].body);
  EXPECT_EQ(scene.requests[1].headers.find("x-twilio-signature"),
            sign(auth_token, "https://voice.example.com/next", form));
  ASSERT_EQ(scene.upgrades.size(), 1u);
  EXPECT_EQ(scene.upgrades[0].headers.find("x-twilio-signature"), sign(auth_token, "wss://voice.example.com/media"));
  EXPECT_TRUE(result.clean()) << all_violations(result);
}

TEST(SimCall, runs_verbs_in_order_and_hangs_up_after_the_last) {
  Scene scene;
  scene.document("/voice", "<Say>one</Say><Pause length=\"0\"/><Say loop=\"2\">two</Say>");

  auto const result = scene.call(scene.plan());

  EXPECT_EQ(result.said, (std::vector<std::string>{"one", "two", "two"}));
  EXPECT_EQ(result.ending, CallEnding::hung_up_by_document);
  EXPECT_EQ(result.status, CallStatus::completed);
  EXPECT_TRUE(result.clean());
}

TEST(SimCall, follows_a_redirect_after_the_gateway_closed_the_stream) {
  Scene scene;
  scene.document("/voice", scene.connect() + "<Redirect method=\"GET\">/resume</Redirect>");
  scene.document("/resume", "<Say>bye</Say>");
  scene.bot = close_at_once;

  auto const result = scene.call(scene.plan());

  ASSERT_EQ(scene.requests.size(), 2u);
  EXPECT_EQ(scene.requests[1].method, "GET");
  EXPECT_EQ(scene.requests[1].headers.find("x-twilio-signature"),
            sign(auth_token, scene.url(scene.requests[1].target)));
  EXPECT_EQ(value(*net::decode_form(scene.requests[1].query()), "CallStatus"), "in-progress");
  EXPECT_EQ(result.said, (std::vector<std::string>{"bye"}));
  EXPECT_TRUE(result.clean()) << all_violations(result);
}

TEST(SimCall, asks_the_connect_action_when_there_is_one) {
  Scene scene;
  scene.document("/voice", scene.connect({}, " action=\"/after\"") + "<Say>never</Say>");
  scene.document("/after", "<Hangup/>");
  scene.bot = close_at_once;

  auto const result = scene.call(scene.plan());

  EXPECT_EQ(scene.forms("/after").size(), 1u);
  EXPECT_TRUE(result.said.empty());
}

TEST(SimCall, ends_with_one_signed_completed_callback_that_tells_the_duration) {
  Scene scene;
  scene.document("/voice", "<Pause length=\"1\"/>");
  auto plan = scene.plan();
  plan.status_callback = scene.url("/status");

  auto const result = scene.call(plan);

  auto const callbacks = scene.forms("/status");
  ASSERT_EQ(callbacks.size(), 1u);
  EXPECT_EQ(value(callbacks[0], "CallStatus"), "completed");
  EXPECT_EQ(value(callbacks[0], "CallbackSource"), "call-progress-events");
  EXPECT_EQ(value(callbacks[0], "CallDuration"), "1");
  EXPECT_EQ(value(callbacks[0], "Duration"), "1");
  EXPECT_EQ(value(callbacks[0], "CallSid"), result.call_sid);
  EXPECT_TRUE(value(callbacks[0], "Timestamp").ends_with(" +0000"));
}

TEST(SimCall, falls_back_when_the_webhook_fails_and_never_asks_twice) {
  Scene scene;
  scene.answers["/voice"] = [](net::Form const&) { return net::Response::text(500, "oops"); };
  scene.document("/fallback", "<Say>sorry</Say>");
  auto plan = scene.plan();
  plan.fallback_url = scene.url("/fallback");

  auto const result = scene.call(plan);

  EXPECT_EQ(scene.forms("/voice").size(), 1u);
  ASSERT_EQ(scene.forms("/fallback").size(), 1u);
  EXPECT_EQ(value(scene.forms("/fallback")[0], "ErrorCode"), "11200");
  EXPECT_EQ(value(scene.forms("/fallback")[0], "ErrorUrl"), scene.url("/voice"));
  EXPECT_EQ(result.said.size(), 1u);
  EXPECT_TRUE(has_violation(result, 11200));
}

TEST(SimCall, ends_in_an_application_error_without_usable_document) {
  Scene scene;
  scene.answers["/voice"] = [](net::Form const&) { return net::Response::json(200, "{}"); };
  auto const result = scene.call(scene.plan());
  EXPECT_EQ(result.ending, CallEnding::application_error);
  EXPECT_TRUE(has_violation(result, 12300));
  EXPECT_FALSE(result.clean());
}

TEST(SimCall, reports_a_gateway_that_does_not_listen) {
  Scene scene;
  auto plan = scene.plan();
  plan.voice_url = "http://127.0.0.1:1/voice";
  auto const result = scene.call(plan);
  EXPECT_TRUE(has_violation(result, 11205)) << all_violations(result);
  EXPECT_EQ(result.ending, CallEnding::application_error);
}

TEST(SimCall, rejects_without_answering) {
  Scene scene;
  scene.document("/voice", "<Reject reason=\"busy\"/>");
  auto const result = scene.call(scene.plan());
  EXPECT_EQ(result.ending, CallEnding::rejected);
  EXPECT_EQ(result.status, CallStatus::busy);
  EXPECT_TRUE(events_of(result, EventKind::answered).empty());
}

TEST(SimCall, tells_the_dial_action_how_the_callee_behaved) {
  Scene scene;
  scene.document(
      "/voice",
      R"(<Dial action="/dialled"><Number statusCallback="/leg" statusCallbackEvent="initiated ringing answered completed">+15557654321</Number></Dial>)");
  scene.document("/dialled", "<Hangup/>");
  auto plan = scene.plan();
  plan.callee = {CalleeAnswer::answered, 10ms, 20ms};
  auto busy = plan;
  busy.callee.answer = CalleeAnswer::busy;
  scene.run([&]() -> base::Async<> {
    (void)co_await scene.carrier.place_call(plan);
    (void)co_await scene.carrier.place_call(busy);
  });
  auto const actions = scene.forms("/dialled");
  ASSERT_EQ(actions.size(), 2u);
  EXPECT_EQ(value(actions[0], "DialCallStatus"), "completed");
  EXPECT_EQ(value(actions[0], "DialBridged"), "true");
  EXPECT_EQ(value(actions[1], "DialCallStatus"), "busy");
  EXPECT_EQ(value(actions[1], "DialBridged"), "false");
  auto const legs = scene.forms("/leg");
  ASSERT_EQ(legs.size(), 7u);
  std::vector<std::string> statuses;
  for (std::size_t i = 0; i < 4; ++i) statuses.push_back(value(legs[i], "CallStatus"));
  EXPECT_EQ(statuses, (std::vector<std::string>{"initiated", "ringing", "in-progress", "completed"}));
  EXPECT_EQ(value(legs[0], "ParentCallSid"), value(actions[0], "CallSid"));
  EXPECT_EQ(value(legs[0], "CallSid"), value(actions[0], "DialCallSid"));
}

TEST(SimCall, records_the_caller_and_serves_the_file) {
  Scene scene;
  scene.document("/voice", R"(<Record action="/recorded" timeout="0" recordingStatusCallback="/recording"/>)");
  scene.document("/recorded", "<Hangup/>");
  auto plan = scene.plan();
  plan.record_speaks_for = 1000ms;
  plan.caller.speech = tone(1000ms);
  std::string file;
  scene.run([&]() -> base::Async<> {
    (void)co_await scene.carrier.place_call(plan);
    net::HttpClient http;
    net::HttpCall get;
    get.url = value(scene.forms("/recorded").at(0), "RecordingUrl") + ".wav";
    get.basic_auth.emplace(account_sid, base::Secret{auth_token});
    auto answer = co_await http.send(std::move(get));
    if (answer) file = answer->body;
  });
  auto const action = scene.forms("/recorded").at(0);
  EXPECT_EQ(value(action, "RecordingDuration"), "1");
  ASSERT_EQ(scene.forms("/recording").size(), 1u);
  EXPECT_EQ(value(scene.forms("/recording")[0], "RecordingStatus"), "completed");
  EXPECT_TRUE(file.starts_with("RIFF"));
  EXPECT_NEAR(static_cast<double>(file.size()), 16044, 800);
}

TEST(SimCall, keys_digits_into_a_gather_and_goes_on_when_nothing_is_keyed) {
  Scene scene;
  scene.document("/voice", R"(<Gather action="/keys" numDigits="2"><Say>press</Say></Gather><Say>none</Say>)");
  scene.document("/keys", R"(<Gather action="/more" timeout="0"/><Say>nothing more</Say>)");
  auto plan = scene.plan();
  plan.gathers = {"12"};
  plan.caller.dtmf_gap = 5ms;

  auto const result = scene.call(plan);

  ASSERT_EQ(scene.forms("/keys").size(), 1u);
  EXPECT_EQ(value(scene.forms("/keys")[0], "Digits"), "12");
  EXPECT_EQ(result.said, (std::vector<std::string>{"press", "nothing more"}));
}

TEST(SimCall, plays_a_file_into_the_callers_ear) {
  Scene scene;
  scene.document("/voice", "<Play>/hello.wav</Play>");
  scene.answers["/hello.wav"] = [](net::Form const&) {
    return net::Response::with(200, "audio/wav", wav_of(tone(200ms)));
  };
  auto const result = scene.call(scene.plan());
  EXPECT_TRUE(result.clean()) << all_violations(result);
  auto const loud = std::count_if(result.heard.begin(), result.heard.end(), [](auto byte) { return byte != 0xFF; });
  EXPECT_NEAR(static_cast<double>(loud), 1600, 20);
}

TEST(SimCall, reports_stream_callbacks_with_a_nanosecond_time) {
  Scene scene;
  scene.document("/voice", "<Connect><Stream name=\"agent\" url=\"" + scene.stream_url() +
                               "\" statusCallback=\"/stream\"/></Connect>");
  scene.bot = close_at_once;
  (void)scene.call(scene.plan());
  auto const forms = scene.forms("/stream");
  ASSERT_EQ(forms.size(), 2u);
  EXPECT_EQ(value(forms[0], "StreamEvent"), "stream-started");
  EXPECT_EQ(value(forms[1], "StreamEvent"), "stream-stopped");
  EXPECT_EQ(value(forms[0], "StreamName"), "agent");
  EXPECT_EQ(value(forms[0], "Timestamp").size(), std::string{"2024-11-29T00:09:39.602648368Z"}.size());
}

TEST(SimCall, ends_at_once_when_the_simulator_is_stopped) {
  Scene scene;
  scene.document("/voice", scene.connect());
  auto plan = scene.plan();
  plan.caller.hang_up_after = 60s;
  std::shared_ptr<CallEntry> entry;
  asio::steady_timer started{scene.io, Clock::time_point::max()};
  scene.bot = [&](StreamEndpoint&, Json const& message) {
    if (message["event"] == "start") started.cancel();
  };
  auto const began = Clock::now();
  scene.run([&]() -> base::Async<> {
    entry = scene.carrier.calls().start(plan);
    (void)co_await started.async_wait(base::quietly);
    co_await scene.carrier.calls().drain(scene.time, 0s);
  });
  EXPECT_LT(Clock::now() - began, 5s);
  ASSERT_TRUE(entry->result.has_value());
  EXPECT_EQ(entry->result->ending, CallEnding::abandoned);
}

}  // namespace
}  // namespace sim::twilio
