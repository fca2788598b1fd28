#include "crm/journal/call_record_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

namespace {

using crm::CallRecord;
using crm::journal::decode;
using crm::journal::encode;

CallRecord full_record() {
  CallRecord call;
  call.id = base::CallId{"call_1"};
  call.tenant = base::TenantId{"ten_1"};
  call.agent = base::AgentId{"va_1"};
  call.call_sid = base::CallSid{"CA1"};
  call.account_sid = base::AccountSid{"AC1"};
  call.direction = crm::CallDirection::outbound;
  call.from = "+15550002222";
  call.to = "+15550001111";
  call.status = crm::CallStatus::no_answer;
  call.node = "n1";
  call.node_epoch = 1'769'851'800'123;
  call.started_at = crm::Wall{std::chrono::nanoseconds{1'769'851'800'123'456'789}};
  call.answered_at = call.started_at + std::chrono::nanoseconds{1};
  call.ended_at = call.started_at + std::chrono::seconds{61};
  call.duration_ms = 61'000;
  call.ending = "caller_hung_up";
  call.blame = crm::Blame::caller;
  call.conversation_id = "conv_1";
  call.recording_path = "/data/a \"b\"\\c.wav";
  call.stream_count = 2;
  call.resumed = 1;
  call.version = 12;
  call.turns.push_back({crm::Speaker::caller, 3, "Grüß Gott 📞", "Grüß Gott 📞", true, 1'500, 900, 800, 700});
  call.turns.push_back({crm::Speaker::agent, {}, "", "", false, -1, {}, {}, {}});
  call.events.push_back({call.started_at, "answered", R"({"by": "machine"})"});
  call.tool_calls.push_back({"tool_1", "book_appointment", R"({"slot":"x"})", R"({"ok":true})", true, 1200, 35});
  return call;
}

TEST(CallRecordJson, loses_nothing) {
  EXPECT_EQ(decode(encode(full_record())), full_record());
  CallRecord empty;
  empty.version = std::numeric_limits<std::int64_t>::min();
  empty.stream_count = std::numeric_limits<int>::max();
  EXPECT_EQ(decode(encode(empty)), empty);
}

TEST(CallRecordJson, loses_nothing_of_text_that_is_not_text) {
  std::mt19937 dice{3};
  for (int i = 0; i < 500; ++i) {
    auto call = full_record();
    for (auto* text : {&call.from, &call.to, &call.node, &call.turns[0].said, &call.turns[1].heard,
                       &call.events[0].kind, &call.events[0].detail_json, &call.ending.emplace()}) {
      text->clear();
      for (auto length = dice() % 6; length > 0; --length) *text += static_cast<char>(dice());
    }
    auto const json = encode(call);
    EXPECT_EQ(decode(json), call) << json;
  }
}

TEST(CallRecordJson, keeps_every_status_direction_and_blame) {
  using enum crm::CallStatus;
  for (auto const status : {ringing, in_progress, completed, busy, no_answer, failed, canceled}) {
    for (auto const blame :
         {crm::Blame::caller, crm::Blame::us, crm::Blame::twilio, crm::Blame::agent, crm::Blame::unknown}) {
      for (auto const direction : {crm::CallDirection::inbound, crm::CallDirection::outbound}) {
        auto call = full_record();
        call.status = status;
        call.blame = blame;
        call.direction = direction;
        EXPECT_EQ(decode(encode(call)), call);
      }
    }
  }
}

TEST(CallRecordJson, reads_records_from_before_tool_calls_were_kept) {
  auto call = full_record();
  auto json = nlohmann::json::parse(encode(call));
  json.erase("tool_calls");
  call.tool_calls.clear();
  EXPECT_EQ(decode(json.dump()), call);
}

TEST(CallRecordJson, refuses_what_it_has_not_written_and_names_the_field_but_no_value) {
  auto const whole = nlohmann::json::parse(encode(full_record()));
  for (auto const& [name, value] : whole.items()) {
    auto json = whole;
    json.erase(name);
    if (name != "tool_calls") {
      auto const missing = decode(json.dump());
      ASSERT_FALSE(missing) << name;
      EXPECT_EQ(missing.error().fault, base::Fault::protocol);
      EXPECT_NE(missing.error().detail.find(name), std::string::npos) << missing.error().detail;
    }
    json[name] = {{"hex", "zz"}};
    EXPECT_FALSE(decode(json.dump())) << name;
    json[name] = {+1.5};
    if (name != "turns" && name != "events") EXPECT_FALSE(decode(json.dump())) << name;
  }
  for (auto const& [name, value] :
       std::vector<std::pair<std::string, nlohmann::json>>{{"form", 2},
                                                           {"status", "hanging"},
                                                           {"direction", "sideways"},
                                                           {"blame", "nobody"},
                                                           {"version", 1e30},
                                                           {"version", 18'446'744'073'709'551'615U},
                                                           {"stream_count", 5'000'000'000},
                                                           {"from", "+1555"}}) {
    auto json = whole;
    json[name] = value;
    auto const answer = decode(json.dump());
    EXPECT_EQ(answer.has_value(), name == "from") << name;
    if (!answer) EXPECT_EQ(answer.error().detail.find("hanging"), std::string::npos);
  }
  for (auto const* text : {"", "null", "[]", "{", "{\"form\":1}", "\xff"}) EXPECT_FALSE(decode(text)) << text;
}

}  // namespace
