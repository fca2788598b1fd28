#include "gateway/call/tool_table.h"

#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

namespace gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

std::string accepted(std::string_view tool, std::string_view parameters) {
  auto const checked = check_parameters(*find_tool(tool), parameters);
  return checked ? *checked : "refused: " + checked.error().detail;
}

TEST(ToolParameters, are_given_to_the_desk_as_they_are_when_all_is_well) {
  EXPECT_EQ(accepted("lookup_caller", "{}"), "{}");
  EXPECT_EQ(
      accepted("book_appointment", R"({"start":"2026-03-31T14:30:00-04:00","name":"Ann Li","service":"cleaning"})"),
      R"({"name":"Ann Li","service":"cleaning","start":"2026-03-31T14:30:00-04:00"})");
}

TEST(ToolParameters, that_the_tool_does_not_know_are_left_out) {
  EXPECT_EQ(accepted("lookup_caller", R"({"phone":"+14155550100","tool_call_id":"x","deep":{"a":[1]}})"), "{}");
}

TEST(ToolParameters, that_are_empty_or_null_count_as_not_given) {
  EXPECT_EQ(accepted("update_contact", R"({"name":"  ","email":null,"phone":""})"), "{}");
  EXPECT_EQ(accepted("take_message", R"({"message":"Call me","urgent":null})"), R"({"message":"Call me"})");
  EXPECT_EQ(accepted("take_message", R"({"message":"Call me","urgent":""})"), R"({"message":"Call me"})");
}

TEST(ToolParameters, that_are_missing_are_named_to_the_agent) {
  EXPECT_EQ(accepted("book_appointment", R"({"name":"Ann"})"), "refused: start is missing.");
  EXPECT_EQ(accepted("take_message", R"({"message":" "})"), "refused: message is missing.");
}

TEST(ToolParameters, of_a_moment_come_in_one_spelling) {
  auto const start = [](std::string const& text) { return accepted("hold_slot", Json{{"start", text}}.dump()); };
  EXPECT_EQ(start("2026-03-31T14:30:00Z"), R"({"start":"2026-03-31T14:30:00+00:00"})");
  EXPECT_EQ(start(" 2026-03-31 14:30 "), R"({"start":"2026-03-31T14:30:00"})");
  EXPECT_EQ(start("2026-03-31t14:30:00.000+0530"), R"({"start":"2026-03-31T14:30:00+05:30"})");
  EXPECT_EQ(start("2024-02-29T23:59:59-03"), R"({"start":"2024-02-29T23:59:59-03:00"})");
}

TEST(ToolParameters, of_a_moment_that_does_not_exist_are_refused_with_an_example) {
  for (auto const* text :
       {"tomorrow at ten", "2026-02-30T10:00:00", "2026-13-01T10:00", "2026-03-31", "2026-03-31T24:00", "2026-03-31T1",
        "2026-03-31T10:00:60", "2026-03-31T10:00+99:00", "2026-03-31T10:00:00Zulu", "20260331T100000"})
    EXPECT_THAT(accepted("hold_slot", Json{{"start", text}}.dump()), HasSubstr("written like 2026-03-31T14:30:00"))
        << text;
}

TEST(ToolParameters, of_a_day_may_be_written_as_a_moment_of_it) {
  EXPECT_EQ(accepted("find_slots", R"({"day":"2026-03-31"})"), R"({"day":"2026-03-31"})");
  EXPECT_EQ(accepted("find_slots", R"({"from":"2026-03-31","to":"2026-04-02 18:00"})"),
            R"({"from":"2026-03-31","to":"2026-04-02T18:00:00"})");
  EXPECT_THAT(accepted("find_slots", R"({"from":"Monday"})"), HasSubstr("from must be a day or a time of a day"));
  EXPECT_THAT(accepted("find_slots", R"({"day":"2026-02-29"})"), HasSubstr("day must be a day of the calendar"));
  EXPECT_EQ(accepted("find_slots", R"({"day":"2026-03-31T00:00:00"})"), R"({"day":"2026-03-31"})");
}

TEST(ToolParameters, of_a_phone_lose_their_decoration) {
  auto const phone = [](Json const& value) {
    return accepted("send_sms", Json{{"message", "Hi"}, {"phone", value}}.dump());
  };
  EXPECT_THAT(phone("tel:+1 (415) 555-0100"), HasSubstr(R"("phone":"+14155550100")"));
  EXPECT_THAT(phone(14155550100), HasSubstr(R"("phone":"14155550100")"));
  EXPECT_THAT(phone("my mobile"), HasSubstr("refused: phone must be a phone number"));
  EXPECT_THAT(phone("+1415"), HasSubstr("refused"));
  EXPECT_THAT(phone("+1415555010012345678"), HasSubstr("refused"));
  EXPECT_THAT(phone(1.5), HasSubstr("refused: phone must be a text"));
}

TEST(ToolParameters, of_an_email_are_lower_case_and_plausible) {
  EXPECT_EQ(accepted("update_contact", R"({"email":"Ann.Li@Example.COM"})"), R"({"email":"ann.li@example.com"})");
  for (auto const* text : {"ann at example", "@example.com", "ann@", "a@b@c", "ann li@example.com", "Ann <a@b.c>"})
    EXPECT_THAT(accepted("update_contact", Json{{"email", text}}.dump()), HasSubstr("Ask the caller to spell it"))
        << text;
}

TEST(ToolParameters, of_yes_or_no_may_be_written_as_words) {
  EXPECT_THAT(accepted("take_message", R"({"message":"Hi","urgent":true})"), HasSubstr(R"("urgent":true)"));
  EXPECT_THAT(accepted("take_message", R"({"message":"Hi","urgent":"No"})"), HasSubstr(R"("urgent":false)"));
  EXPECT_THAT(accepted("take_message", R"({"message":"Hi","urgent":"soon"})"),
              HasSubstr("urgent must be true or false"));
  EXPECT_THAT(accepted("take_message", R"({"message":"Hi","urgent":[true]})"), HasSubstr("refused"));
}

TEST(ToolParameters, that_are_too_long_are_refused_and_counted_in_characters) {
  std::string umlauts;
  for (int i = 0; i < 200; ++i) umlauts += "ü";
  EXPECT_EQ(accepted("update_contact", Json{{"name", umlauts}}.dump()), Json({{"name", umlauts}}).dump());
  EXPECT_EQ(accepted("update_contact", Json{{"name", umlauts + "x"}}.dump()),
            "refused: name is too long: at most 200 characters.");
  EXPECT_THAT(accepted("take_message", Json{{"message", std::string(20000, 'x')}}.dump()), HasSubstr("fewer words"));
}

TEST(ToolParameters, keep_no_character_that_the_database_cannot_keep) {
  EXPECT_EQ(accepted("take_message", R"({"message":"a\u0000b"})"),
            "{\"message\":\"a\xEF\xBF\xBD"
            "b\"}");
}

TEST(ToolParameters, that_are_no_plain_object_are_refused) {
  for (auto const* text : {"", "null", "[]", "\"x\"", "{", "{\"start\":", "\xFF"})
    EXPECT_THAT(accepted("hold_slot", text), HasSubstr("must be an object")) << text;
  EXPECT_THAT(accepted("hold_slot", R"({"start":{"at":1}})"), HasSubstr("start must be a text"));
  EXPECT_THAT(accepted("hold_slot", std::string(5000, '[') + std::string(5000, ']')), HasSubstr("plain object"));
}

TEST(ToolParameters, are_not_repeated_in_what_is_said_about_them) {
  auto const told = accepted("update_contact", R"({"email":"secret words"})");
  EXPECT_THAT(told, HasSubstr("refused"));
  EXPECT_THAT(told, Not(HasSubstr("secret")));
}

TEST(ToolParameters, of_an_id_hold_nothing_else) {
  EXPECT_EQ(accepted("cancel_appointment", R"({"appointment_id":"apt_01ABC"})"), R"({"appointment_id":"apt_01ABC"})");
  EXPECT_THAT(accepted("cancel_appointment", R"({"appointment_id":"the one on Monday"})"),
              HasSubstr("an id that another"));
}

TEST(ToolTable, has_each_tool_once_and_none_that_nobody_knows) {
  std::set<std::string_view> names;
  for (auto const& tool : tools()) {
    EXPECT_TRUE(names.insert(tool.name).second) << tool.name;
    EXPECT_EQ(find_tool(tool.name), &tool);
    EXPECT_FALSE(tool.description.empty()) << tool.name;
    for (auto const& parameter : tool.parameters) {
      EXPECT_GT(parameter.longest, 0U) << tool.name << "." << parameter.name;
      EXPECT_FALSE(parameter.description.empty()) << tool.name << "." << parameter.name;
    }
  }
  EXPECT_EQ(names.size(), 11U);
  EXPECT_EQ(find_tool("drop_table"), nullptr);
}

TEST(ToolDefinitions, are_client_tools_that_the_agent_waits_for_longer_than_we_need) {
  auto const all = Json::parse(tool_definitions_json());
  ASSERT_EQ(all.size(), tools().size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto const& config = all[i]["tool_config"];
    EXPECT_EQ(config["type"], "client");
    EXPECT_EQ(config["name"], tools()[i].name);
    EXPECT_EQ(config["expects_response"], true);
    EXPECT_GT(std::chrono::seconds{config["response_timeout_secs"].get<int>()}, tools()[i].deadline);
    EXPECT_EQ(config["parameters"]["type"], "object");
    EXPECT_EQ(config["parameters"]["properties"].size(), tools()[i].parameters.size());
  }
}

TEST(ToolDefinitions, in_the_repository_are_those_of_the_program) {
  std::ifstream file{SOURCE_ROOT "/config/agent-tools.json"};
  std::string const kept{std::istreambuf_iterator<char>{file}, {}};
  EXPECT_EQ(kept, tool_definitions_json()) << "switchboard agents tools > config/agent-tools.json";
}

}  // namespace
}  // namespace gateway
