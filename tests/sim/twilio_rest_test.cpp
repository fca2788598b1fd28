#include "tests/sim/twilio_scene.h"

namespace sim::twilio {
namespace {

using namespace twilio_scene;

std::string value(net::Form const& form, std::string_view name) {
  return std::string{net::find(form, name)};
}

/// A REST client as a gateway has it.
class Rest {
 public:
  explicit Rest(Scene& scene) : base_{scene.carrier.base_url() + "/2010-04-01/Accounts/" + account_sid} {}
  std::string token = auth_token;

  base::Async<std::pair<unsigned, Json>> send(std::string method, std::string path, net::Form form = {}) {
    net::HttpCall call;
    call.method = std::move(method);
    call.url = base_ + path;
    call.basic_auth.emplace(account_sid, base::Secret{token});
    if (call.method == "POST") {
      call.body = net::encode_form(form);
      call.headers.add("Content-Type", "application/x-www-form-urlencoded");
    }
    auto answer = co_await http_.send(std::move(call));
    if (!answer) co_return std::pair<unsigned, Json>{0, Json{}};
    co_return std::pair<unsigned, Json>{answer->status, Json::parse(answer->body, nullptr, false)};
  }

 private:
  std::string base_;
  net::HttpClient http_;
};

TwilioSimSettings quick_settings() {
  TwilioSimSettings settings;
  settings.outbound.callee = {CalleeAnswer::answered, 10ms, 10ms};
  settings.outbound.allow_plain_loopback = true;
  settings.outbound.say_per_character = 1ms;
  return settings;
}

base::Async<> until_ended(Scene& scene, std::string sid) {
  auto const entry = scene.carrier.calls().find(sid);
  while (entry && !entry->result && entry->record.status != CallStatus::canceled) (void)co_await scene.time.wait(5ms);
}

TEST(SimRest, hangs_up_a_live_call_whose_stream_then_gets_stop) {
  Scene scene;
  scene.document("/voice", scene.connect() + "<Say>never</Say>");
  auto plan = scene.plan();
  plan.status_callback = scene.url("/status");
  Rest rest{scene};
  std::pair<unsigned, Json> answer;
  CallResult result;
  asio::steady_timer started{scene.io, Clock::time_point::max()};
  scene.bot = [&](StreamEndpoint&, Json const& message) {
    if (message["event"] == "start") started.cancel();
  };
  auto const hang_up = [&]() -> base::Async<> {
    (void)co_await started.async_wait(base::quietly);
    auto const sid = scene.streams.at(0)->of("start").at(0)["start"]["callSid"].get<std::string>();
    answer = co_await rest.send("POST", "/Calls/" + sid + ".json", {{"Status", "completed"}});
  };
  auto const call = [&]() -> base::Async<> { result = co_await scene.carrier.place_call(plan); };
  using namespace asio::experimental::awaitable_operators;
  scene.run([&]() -> base::Async<> { co_await (hang_up() && call()); });
  EXPECT_EQ(answer.first, 200u);
  EXPECT_EQ(answer.second["status"], "completed");
  EXPECT_EQ(result.ending, CallEnding::hung_up_by_rest);
  EXPECT_EQ(result.streams.at(0).end, StreamEnd::call_updated);
  EXPECT_EQ(scene.streams.at(0)->arrivals.back().message["event"], "stop");
  EXPECT_TRUE(result.said.empty());
  EXPECT_EQ(scene.forms("/status").size(), 1u);
  EXPECT_TRUE(result.clean()) << all_violations(result);
}

TEST(SimRest, replaces_the_running_document_of_a_live_call) {
  Scene scene;
  scene.document("/voice", scene.connect());
  Rest rest{scene};
  CallResult result;
  asio::steady_timer started{scene.io, Clock::time_point::max()};
  scene.bot = [&](StreamEndpoint&, Json const& message) {
    if (message["event"] == "start") started.cancel();
  };
  auto const transfer = [&]() -> base::Async<> {
    (void)co_await started.async_wait(base::quietly);
    auto const sid = scene.streams.at(0)->of("start").at(0)["start"]["callSid"].get<std::string>();
    (void)co_await rest.send("POST", "/Calls/" + sid + ".json",
                             {{"Twiml", response("<Say>one moment</Say><Hangup/>")}});
  };
  auto const call = [&]() -> base::Async<> { result = co_await scene.carrier.place_call(scene.plan()); };
  using namespace asio::experimental::awaitable_operators;
  scene.run([&]() -> base::Async<> { co_await (transfer() && call()); });
  EXPECT_EQ(result.said, (std::vector<std::string>{"one moment"}));
  EXPECT_EQ(scene.streams.at(0)->arrivals.back().message["event"], "stop");
  EXPECT_EQ(result.ending, CallEnding::hung_up_by_document);
}

TEST(SimRest, creates_a_queued_call_that_reports_its_progress_in_order) {
  Scene scene{quick_settings()};
  scene.document("/voice", "<Say>hello</Say>");
  Rest rest{scene};
  std::pair<unsigned, Json> created;
  std::pair<unsigned, Json> fetched;
  scene.run([&]() -> base::Async<> {
    created = co_await rest.send("POST", "/Calls.json",
                                 {{"To", "+15557654321"},
                                  {"From", "+15005550006"},
                                  {"Url", scene.url("/voice")},
                                  {"StatusCallback", scene.url("/status")},
                                  {"StatusCallbackEvent", "initiated"},
                                  {"StatusCallbackEvent", "ringing"},
                                  {"StatusCallbackEvent", "answered"},
                                  {"StatusCallbackEvent", "completed"}});
    co_await until_ended(scene, created.second["sid"]);
    fetched = co_await rest.send("GET", "/Calls/" + created.second["sid"].get<std::string>() + ".json");
  });
  EXPECT_EQ(created.first, 201u);
  EXPECT_EQ(created.second["status"], "queued");
  EXPECT_EQ(created.second["direction"], "outbound-api");
  EXPECT_EQ(fetched.second["status"], "completed");
  auto const callbacks = scene.forms("/status");
  ASSERT_EQ(callbacks.size(), 4u);
  std::vector<std::string> const statuses{"initiated", "ringing", "in-progress", "completed"};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(value(callbacks[i], "CallStatus"), statuses[i]);
    EXPECT_EQ(value(callbacks[i], "SequenceNumber"), std::to_string(i));
    EXPECT_EQ(value(callbacks[i], "CallDuration").empty(), i != 3);
  }
  ASSERT_EQ(scene.forms("/voice").size(), 1u);
  EXPECT_EQ(value(scene.forms("/voice")[0], "CallStatus"), "in-progress");
}

TEST(SimRest, delivers_callbacks_twice_and_the_wrong_way_round_on_request) {
  auto settings = quick_settings();
  settings.outbound.callbacks = {true, true, 0ms};
  settings.outbound.callee.answer = CalleeAnswer::busy;
  Scene scene{std::move(settings)};
  Rest rest{scene};
  scene.run([&]() -> base::Async<> {
    auto const created = co_await rest.send("POST", "/Calls.json",
                                            {{"To", "+15557654321"},
                                             {"From", "+15005550006"},
                                             {"Twiml", response("<Hangup/>")},
                                             {"StatusCallback", scene.url("/status")},
                                             {"StatusCallbackEvent", "ringing"},
                                             {"StatusCallbackEvent", "completed"}});
    co_await until_ended(scene, created.second["sid"]);
  });
  std::vector<std::string> statuses;
  for (auto const& form : scene.forms("/status")) statuses.push_back(value(form, "CallStatus"));
  EXPECT_EQ(statuses, (std::vector<std::string>{"busy", "busy", "ringing", "ringing"}));
}

TEST(SimRest, lets_one_call_a_second_out_of_the_queue_and_cancels_a_waiting_one_silently) {
  Scene scene{quick_settings()};
  Rest rest{scene};
  net::Form const form{{"To", "+15557654321"},
                       {"From", "+15005550006"},
                       {"Twiml", response("<Hangup/>")},
                       {"StatusCallback", scene.url("/status")}};
  std::pair<unsigned, Json> canceled;
  std::string second_status;
  scene.run([&]() -> base::Async<> {
    auto const first = co_await rest.send("POST", "/Calls.json", form);
    auto const second = co_await rest.send("POST", "/Calls.json", form);
    co_await until_ended(scene, first.second["sid"]);
    auto const path = "/Calls/" + second.second["sid"].get<std::string>() + ".json";
    auto const waiting = co_await rest.send("GET", path);
    second_status = waiting.second["status"];
    canceled = co_await rest.send("POST", path, {{"Status", "canceled"}});
  });
  EXPECT_EQ(second_status, "queued");
  EXPECT_EQ(canceled.second["status"], "canceled");
  EXPECT_EQ(scene.forms("/status").size(), 1u);
}

TEST(SimRest, answers_errors_with_twilios_bodies) {
  Scene scene{quick_settings()};
  Rest rest{scene};
  auto const unknown = "/Calls/CA" + std::string(32, '0') + ".json";
  std::vector<std::pair<unsigned, Json>> answers;
  scene.run([&]() -> base::Async<> {
    rest.token = "wrong";
    answers.push_back(co_await rest.send("GET", unknown));
    rest.token = auth_token;
    answers.push_back(co_await rest.send("GET", unknown));
    auto const ended = co_await rest.send("POST", "/Calls.json",
                                          {{"To", "+15557654321"}, {"From", "+15005550006"}, {"Twiml", response("")}});
    co_await until_ended(scene, ended.second["sid"]);
    answers.push_back(co_await rest.send("POST", "/Calls/" + ended.second["sid"].get<std::string>() + ".json",
                                         {{"Status", "completed"}}));
    scene.carrier.rest().inject({429, 1, 0ms, "/Calls"});
    answers.push_back(co_await rest.send("GET", "/Calls.json"));
    answers.push_back(co_await rest.send("POST", "/Calls.json", {{"From", "+15005550006"}}));
  });
  std::vector<std::pair<unsigned, int>> const expected{
      {401, 20003}, {404, 20404}, {400, 21220}, {429, 20429}, {400, 21201}};
  ASSERT_EQ(answers.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(answers[i].first, expected[i].first);
    EXPECT_EQ(answers[i].second["code"], expected[i].second);
    EXPECT_EQ(answers[i].second["status"], expected[i].first);
    EXPECT_TRUE(answers[i].second["more_info"].is_string());
  }
}

TEST(SimRest, pages_through_calls_and_keeps_what_is_written_to_a_number) {
  Scene scene{quick_settings()};
  auto const number = scene.carrier.rest().add_number("+15005550006").sid;
  Rest rest{scene};
  Json first;
  Json numbers;
  scene.run([&]() -> base::Async<> {
    for (int i = 0; i < 3; ++i)
      (void)co_await rest.send("POST", "/Calls.json",
                               {{"To", "+15557654321"}, {"From", "+15005550006"}, {"Twiml", response("")}});
    auto page = co_await rest.send("GET", "/Calls.json?PageSize=2");
    first = page.second;
    (void)co_await rest.send("POST", "/IncomingPhoneNumbers/" + number + ".json",
                             {{"VoiceUrl", "https://gw.example.com/voice"}});
    auto listed = co_await rest.send("GET", "/IncomingPhoneNumbers.json?PhoneNumber=%2B15005550006");
    numbers = listed.second;
  });
  EXPECT_EQ(first["calls"].size(), 2u);
  EXPECT_EQ(first["page_size"], 2);
  EXPECT_TRUE(first["next_page_uri"].is_string());
  ASSERT_EQ(numbers["incoming_phone_numbers"].size(), 1u);
  EXPECT_EQ(numbers["incoming_phone_numbers"][0]["voice_url"], "https://gw.example.com/voice");
}

TEST(SimControl, starts_a_call_from_json_and_tells_its_story) {
  Scene scene;
  scene.document("/voice", "<Say>hello</Say>");
  Json story;
  unsigned refused = 0;
  scene.run([&]() -> base::Async<> {
    net::HttpClient http;
    net::HttpCall post;
    post.method = "POST";
    post.url = scene.carrier.base_url() + "/sim/calls";
    post.headers.add("Content-Type", "application/json");
    post.body = Json{{"voice_url", scene.url("/voice")}, {"wav", ""}, {"say_per_character_ms", 1}}.dump();
    auto const started = co_await http.send(post);
    if (!started) co_return;
    auto const sid = Json::parse(started->body)["sid"].get<std::string>();
    co_await until_ended(scene, sid);
    net::HttpCall get;
    get.url = post.url + "/" + sid;
    auto const told = co_await http.send(get);
    if (told) story = Json::parse(told->body);
    post.body = R"({"voice_url":"http://x","colour":"red"})";
    auto const bad = co_await http.send(post);
    if (bad) refused = bad->status;
  });
  ASSERT_TRUE(story.is_object());
  EXPECT_TRUE(story["done"].get<bool>());
  EXPECT_TRUE(story["result"]["clean"].get<bool>());
  EXPECT_EQ(story["events"].back()["kind"], "hung_up");
  EXPECT_EQ(refused, 400u);
}

}  // namespace
}  // namespace sim::twilio
