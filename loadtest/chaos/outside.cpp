#include "loadtest/chaos/outside.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <nlohmann/json.hpp>

#include "gateway/base/base64.h"
#include "gateway/base/ids.h"
#include "loadtest/sim/elevenlabs/speech.h"

namespace sim::chaos {
namespace {

using What = Entry::What;

constexpr milliseconds ring_for{20};
constexpr milliseconds speech_at{60};
constexpr milliseconds speech_length{300};
constexpr std::size_t signing_key_bytes = 32;

std::vector<std::uint8_t> random_bytes(std::size_t count) {
  std::vector<std::uint8_t> raw(count);
  base::fill_random(raw);
  return raw;
}

twilio::Account new_account() {
  twilio::Account account;
  account.sid = "AC" + base::to_hex(random_bytes(16));
  account.auth_token = base::Secret{base::to_hex(random_bytes(16))};
  return account;
}

std::string new_signing_secret() {
  std::string secret = "whsec_";
  base::append_base64(secret, random_bytes(signing_key_bytes));
  return secret;
}

twilio::Mulaw caller_speech() {
  auto const samples = elevenlabs::synthetic_voice("An appointment, please.", 8000, speech_length);
  return elevenlabs::to_bytes(samples, media::Codec::mulaw);
}

twilio::TwilioSimSettings carrier_settings(twilio::Account account) {
  twilio::TwilioSimSettings settings;
  settings.account = std::move(account);
  return settings;
}

elevenlabs::ElevenLabsSim::Options agent_options(std::function<void(elevenlabs::Event const&)> on_event) {
  elevenlabs::ElevenLabsSim::Options options;
  options.scenario.api_keys = {api_key};
  options.scenario.agents = {booking_agent(0, false)};
  options.keep_audio = false;
  options.on_event = std::move(on_event);
  return options;
}

/// What a delivery is about when it may come once only.
std::string subject_of(sim::crm::ReceivedEvent const& event) {
  auto const json = nlohmann::json::parse(event.body, nullptr, /*allow_exceptions=*/false);
  auto const text = [&](char const* name) {
    auto const value = json.is_object() && json.contains("data") && json["data"].is_object()
                           ? json["data"].value(name, nlohmann::json{})
                           : nlohmann::json{};
    return value.is_string() ? value.get<std::string>() : std::string{};
  };
  auto const about = event.type == "call.ended"           ? text("call_id")
                     : event.type == "appointment.booked" ? text("appointment_id")
                     : event.type == "contact.created"    ? text("contact_id")
                                                          : std::string{};
  return about.empty() ? std::string{} : event.type + " " + about;
}

}  // namespace

Outside::Outside(History& history)
    : history_{history},
      account_{new_account()},
      webhook_secret_{new_signing_secret()},
      tasks_{loop_.get_executor()},
      agents_{loop_.get_executor(), time_,
              agent_options([this](elevenlabs::Event const& event) { note_conversation(event); })},
      carrier_{loop_.get_executor(), base::Log::silent(), carrier_settings(account_)},
      receiver_{loop_.get_executor(), time_, {.webhook_secret = webhook_secret_}} {
  agents_.listen(0);
  carrier_.listen("127.0.0.1", 0);
  receiver_port_ = receiver_.listen(0);
  thread_ = std::thread{[this] {
    tasks_.spawn(agents_.serve());
    tasks_.spawn(carrier_.serve());
    tasks_.spawn(receiver_.serve());
    auto const work = asio::make_work_guard(loop_);
    loop_.run();
  }};
}

Outside::~Outside() {
  auto const end = [this]() -> base::Async<> {
    carrier_.stop();
    agents_.stop();
    receiver_.stop();
    co_await carrier_.drain(milliseconds{200});
    co_await agents_.drain(milliseconds{200});
    co_await receiver_.drain(milliseconds{200});
    co_await tasks_.drain(time_, milliseconds{0});
  };
  asio::co_spawn(loop_, end(), asio::use_future).get();
  loop_.stop();
  thread_.join();
}

template <class Work>
auto Outside::on_loop(Work work) {
  std::packaged_task<decltype(work())()> task{std::move(work)};
  auto done = task.get_future();
  asio::post(loop_, [&task] { task(); });
  return done.get();
}

void Outside::place(PlannedCall const& planned, std::string const& gateway) {
  twilio::CallPlan plan;
  plan.from = planned.from;
  plan.to = number;
  plan.voice_url = gateway + "/api/twilio/voice-callback";
  plan.fallback_url = gateway + "/api/twilio/voice-fallback";
  plan.status_callback = gateway + "/api/twilio/status-callback";
  plan.allow_plain_loopback = true;
  plan.keep_audio = false;
  plan.ring_for = ring_for;
  plan.caller.speech = caller_speech();
  plan.caller.speech_at = speech_at;
  plan.caller.hang_up_after = planned.talks_for;
  plan.caller.speech_repeats = planned.keeps_talking;
  under_way_.fetch_add(1, std::memory_order_release);
  asio::post(loop_,
             [this, slot = planned.slot, keeps_talking = planned.keeps_talking, plan = std::move(plan)]() mutable {
               agents_.agent(agent_id).turns = booking_agent(slot, keeps_talking).turns;
               tasks_.spawn(call(std::move(plan)));
             });
}

base::Async<> Outside::call(twilio::CallPlan plan) {
  auto const from = plan.from;
  twilio::Listener const listener = [this, &from](std::string const& sid, twilio::Event const& event) {
    if (event.kind == twilio::EventKind::initiated) history_.add(What::call_placed, sid, {}, from);
    if (event.kind == twilio::EventKind::stream_started) history_.add(What::call_taken, sid);
    if (event.kind == twilio::EventKind::hung_up) history_.add(What::call_hung_up, sid);
  };
  auto const result = co_await carrier_.place_call(std::move(plan), listener);
  history_.add(What::call_ended, result.call_sid, {}, std::string{to_string(result.ending)});
  under_way_.fetch_sub(1, std::memory_order_release);
}

void Outside::note_conversation(elevenlabs::Event const& event) {
  if (event.kind == "tool_call" && event.detail == "book_appointment")
    history_.add(What::booking_asked, event.conversation.id);
  if (event.kind != "tool_result" || !event.detail.starts_with("book_appointment")) return;
  auto const answer = nlohmann::json::parse(event.words, nullptr, /*allow_exceptions=*/false);
  if (!answer.is_object() || !answer.contains("ok") || answer["ok"] != true) return;
  if (answer.contains("appointment_id") && answer["appointment_id"].is_string())
    history_.add(What::booked, answer["appointment_id"].get<std::string>());
}

void Outside::write_down_what_was_told() {
  on_loop([this] {
    for (auto const& event : receiver_.webhooks().received()) {
      for (auto& written = told_[event.id]; written < event.times; ++written) write_down(event, /*again=*/written > 0);
    }
    auto const& texts = carrier_.rest().messages();
    for (; texts_written_ < texts.size(); ++texts_written_) {
      auto const& text = texts[texts_written_];
      history_.add_at(text.taken_at, What::sms_accepted, text.sid, text.to + " " + text.body);
    }
  });
}

void Outside::write_down(sim::crm::ReceivedEvent const& event, bool again) {
  if (again)
    history_.add(What::delivered, event.id, subject_of(event), "again");
  else
    history_.add_at(event.taken_at, What::delivered, event.id, subject_of(event));
}

void Outside::drop_conversations() {
  on_loop([this] {
    for (auto const& conversation : agents_.conversations())
      if (!conversation->ended) (void)agents_.perform(conversation->id, {elevenlabs::Drop{}});
  });
}

void Outside::trouble_target(std::uint32_t variant) {
  on_loop([this, variant] {
    auto const times = 1 + variant % 3;
    bool const keeps = variant % 2 == 0;
    bool const answers = variant % 5 < 2;
    sim::crm::WebhookFault hook;
    hook.status = answers ? 503 : 0;
    hook.times = times;
    hook.keeps = keeps;
    receiver_.webhooks().inject(hook);
    twilio::RestFault text;
    text.path = "/Messages";
    text.status = answers ? 503 : 0;
    text.drops = !answers;
    text.keeps = keeps;
    text.times = times;
    carrier_.rest().inject(std::move(text));
  });
}

std::int64_t Outside::numbers_routed(std::string const& health_url) {
  auto const look = [](net::HttpClient& http, std::string url) -> base::Async<std::int64_t> {
    net::HttpCall call;
    call.url = std::move(url);
    auto const health = co_await http.send(std::move(call));
    auto const json = nlohmann::json::parse(health ? health->body : std::string{}, nullptr, false);
    co_return json.is_object() ? json.value("numbers", std::int64_t{0}) : 0;
  };
  return asio::co_spawn(loop_, look(http_, health_url), asio::use_future).get();
}

}  // namespace sim::chaos
