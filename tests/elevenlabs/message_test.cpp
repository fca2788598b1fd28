#include "gateway/agent/elevenlabs/message.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

namespace gateway::elevenlabs {
namespace {

using Bytes = std::vector<std::uint8_t>;

/// Decodes with a buffer that outlives the message.
struct Decoded {
  explicit Decoded(std::string_view text) : message{decode(text, buffer)} {}
  template <class T>
  T const* as() const {
    return message ? std::get_if<T>(&*message) : nullptr;
  }
  Bytes buffer;
  base::Result<Incoming> message;
};

template <class T>
T read(std::string_view text) {
  Decoded const decoded{text};
  auto const* message = decoded.as<T>();
  EXPECT_NE(message, nullptr) << text.substr(0, 200);
  return message ? *message : T{};
}

base::Fault fault_of(std::string_view text) {
  Bytes buffer;
  auto const message = decode(text, buffer);
  EXPECT_FALSE(message) << text.substr(0, 200);
  return message ? base::Fault::cancelled : message.error().fault;
}

Bytes bytes_of(Audio const& audio) {
  return {audio.bytes.begin(), audio.bytes.end()};
}

TEST(AgentMessage, metadata_names_the_conversation_and_both_formats) {
  auto const metadata = read<Metadata>(
      R"({"type":"conversation_initiation_metadata","conversation_initiation_metadata_event":{"conversation_id":"conv_01k",)"
      R"("agent_output_audio_format":"pcm_44100","user_input_audio_format":"ulaw_8000"}})");
  EXPECT_EQ(metadata.conversation_id, "conv_01k");
  EXPECT_EQ(metadata.agent_output_audio_format, "pcm_44100");
  EXPECT_EQ(metadata.user_input_audio_format, "ulaw_8000");
}

TEST(AgentMessage, metadata_may_leave_out_the_input_format) {
  auto const metadata = read<Metadata>(
      R"({"type":"conversation_initiation_metadata","conversation_initiation_metadata_event":{"conversation_id":"c",)"
      R"("agent_output_audio_format":"pcm_16000","user_input_audio_format":null}})");
  EXPECT_FALSE(metadata.user_input_audio_format);
}

TEST(AgentMessage, ping_has_an_id_and_perhaps_a_latency) {
  auto const ping = read<Ping>(R"({"type":"ping","ping_event":{"event_id":7,"ping_ms":42}})");
  EXPECT_EQ(ping.event_id, 7);
  EXPECT_EQ(ping.ping_ms, 42);
  EXPECT_FALSE(read<Ping>(R"({"type":"ping","ping_event":{"event_id":7,"ping_ms":null}})").ping_ms);
  EXPECT_FALSE(read<Ping>(R"({"type":"ping","ping_event":{"event_id":7}})").ping_ms);
}

TEST(AgentMessage, event_ids_are_whole_numbers_in_any_spelling_and_zero_is_one) {
  struct Case {
    char const* written;
    EventId expected;
  };
  Case const cases[] = {{"0", 0},
                        {"12", 12},
                        {"-3", -3},
                        {"\"0\"", 0},
                        {"\"42\"", 42},
                        {"7.0", 7},
                        {"9007199254740993", 9007199254740993},
                        {"9223372036854775807", std::numeric_limits<std::int64_t>::max()},
                        {"9223372036854775808", std::nullopt},
                        {"\"12a\"", std::nullopt},
                        {"\"\"", std::nullopt},
                        {"1.5", std::nullopt},
                        {"null", std::nullopt},
                        {"true", std::nullopt},
                        {"[]", std::nullopt},
                        {"1e300", std::nullopt}};
  for (auto const& [written, expected] : cases) {
    auto const text = std::string{R"({"type":"ping","ping_event":{"event_id":)"} + written + "}}";
    EXPECT_EQ(read<Ping>(text).event_id, expected) << written;
  }
}

TEST(AgentMessage, audio_comes_decoded_with_its_alignment) {
  Decoded const decoded{
      R"({"type":"audio","audio_event":{"audio_base_64":"f39/f38=","event_id":3,)"
      R"("alignment":{"chars":["H","ü"],"char_start_times_ms":[0,80],"char_durations_ms":[80,90]},"is_final":false}})"};
  auto const* audio = decoded.as<Audio>();
  ASSERT_NE(audio, nullptr);
  EXPECT_EQ(audio->event_id, 3);
  EXPECT_EQ(bytes_of(*audio), (Bytes{0x7f, 0x7f, 0x7f, 0x7f, 0x7f}));
  ASSERT_TRUE(audio->alignment);
  EXPECT_EQ(audio->alignment->characters, (std::vector<std::string>{"H", "ü"}));
  EXPECT_EQ(audio->alignment->starts_ms, (std::vector<std::int32_t>{0, 80}));
}

TEST(AgentMessage, audio_may_be_empty_and_may_lack_an_id) {
  Decoded const empty{R"({"type":"audio","audio_event":{"audio_base_64":"","event_id":0}})"};
  ASSERT_NE(empty.as<Audio>(), nullptr);
  EXPECT_TRUE(empty.as<Audio>()->bytes.empty());
  EXPECT_EQ(empty.as<Audio>()->event_id, 0);
  Decoded const nameless{R"({"type":"audio","audio_event":{"audio_base_64":"AAA="}})"};
  ASSERT_NE(nameless.as<Audio>(), nullptr);
  EXPECT_FALSE(nameless.as<Audio>()->event_id);
}

TEST(AgentMessage, an_alignment_that_does_not_add_up_is_left_out_and_the_audio_stays) {
  for (char const* alignment :
       {"{}", "null", "[]", "7", R"({"chars":["a"]})", R"({"chars":["a"],"char_start_times_ms":[0]})",
        R"({"chars":["a","b"],"char_start_times_ms":[0],"char_durations_ms":[1]})",
        R"({"chars":["a"],"char_start_times_ms":[0],"char_durations_ms":[1,2]})",
        R"({"chars":[1],"char_start_times_ms":[0],"char_durations_ms":[1]})",
        R"({"chars":["a"],"char_start_times_ms":["x"],"char_durations_ms":[1]})",
        R"({"chars":[],"char_start_times_ms":[],"char_durations_ms":[]})"}) {
    auto const text =
        std::string{R"({"type":"audio","audio_event":{"audio_base_64":"AAA=","event_id":1,"alignment":)"} + alignment +
        "}}";
    Decoded const decoded{text};
    ASSERT_NE(decoded.as<Audio>(), nullptr) << alignment;
    EXPECT_EQ(decoded.as<Audio>()->bytes.size(), 2U) << alignment;
    EXPECT_FALSE(decoded.as<Audio>()->alignment) << alignment;
  }
}

TEST(AgentMessage, audio_is_found_in_any_order_and_spacing_of_members) {
  for (char const* text : {
           R"({"audio_event":{"event_id":5,"audio_base_64":"AQID"},"type":"audio"})",
           R"(  {  "type" : "audio" , "audio_event" : { "audio_base_64" : "AQID" , "event_id" : 5 } }  )",
           "{\"type\":\"audio\",\n\t\"audio_event\":{\"audio_base_64\":\t\"AQID\",\r\n\"event_id\":5}}",
           R"({"type":"audio","audio_event":{"audio_base_64":"A\u0051ID","event_id":5}})",
           R"({"type":"audio","audio_event":{"audio_base_64":"ZZZZ","audio_base_64":"AQID","event_id":5}})",
           R"({"type":"audio","extra":{"audio_base_64":"ZZZZ"},"audio_event":{"audio_base_64":"AQID","event_id":5}})",
           R"({"type":"audio","a\"audio_base_64":"ZZZZ","audio_event":{"audio_base_64":"AQID","event_id":5}})",
           R"({"type":"audio","note":"\"audio_base_64\":\"x\"","audio_event":{"audio_base_64":"AQID","event_id":5}})",
       }) {
    Decoded const decoded{text};
    ASSERT_NE(decoded.as<Audio>(), nullptr) << text;
    EXPECT_EQ(bytes_of(*decoded.as<Audio>()), (Bytes{1, 2, 3})) << text;
    EXPECT_EQ(decoded.as<Audio>()->event_id, 5) << text;
  }
}

TEST(AgentMessage, audio_is_the_same_the_short_way_and_the_long_way) {
  for (std::string const id : {"0", "7", "123456789012"}) {
    for (std::string const& text :
         {std::string{"{\"type\":\"audio\",\"audio_event\":{\"audio_base_64\":\"AQID\",\"event_id\":"} + id + "}}",
          "{\"audio_event\":{\"audio_base_64\":\"AQID\",\"event_id\":" + id + "},\"type\":\"audio\"}"}) {
      auto longer = text;
      longer.insert(1, " ");  // a blank leads to the JSON parser
      Decoded const short_way{text};
      Decoded const long_way{longer};
      auto const* one = short_way.as<Audio>();
      auto const* other = long_way.as<Audio>();
      ASSERT_NE(one, nullptr) << text;
      ASSERT_NE(other, nullptr) << longer;
      EXPECT_EQ(one->event_id, other->event_id);
      EXPECT_EQ(bytes_of(*one), bytes_of(*other));
    }
  }
  for (auto const* text : {R"({"type":"audio","audio_event":{"audio_base_64":"AQID","event_id":01}})",
                           R"({"type":"audio","audio_event":{"audio_base_64":"AQID","event_id":7}}})",
                           R"({"type":"audio","audio_event":{"audio_base_64":"AQID","event_id":}})",
                           R"({"audio_event":{"audio_base_64":"AQID","event_id":7}})"})
    EXPECT_EQ(Decoded{text}.as<Audio>(), nullptr) << text;
}

TEST(AgentMessage, audio_that_is_no_audio_is_refused) {
  for (char const* text :
       {R"({"type":"audio"})", R"({"type":"audio","audio":{"chunk":"AAAA"}})",
        R"({"type":"audio","audio_event":{"event_id":1}})",
        R"({"type":"audio","audio_event":{"audio_base_64":null,"event_id":1}})",
        R"({"type":"audio","audio_event":{"audio_base_64":7,"event_id":1}})",
        R"({"type":"audio","audio_event":{"audio_base_64":"*","event_id":1}})",
        R"({"type":"audio","extra":{"audio_base_64":"ZZZZ"},"audio_event":{"audio_base_64":"*"}})",
        R"({"type":"audio","extra":{"audio_base_64":"ZZZZ"},"audio_event":{"audio_base_64":"\u002a"}})",
        R"({"type":"audio","audio_event":{"audio_base_64":"AAA","event_id":1}})",
        R"({"type":"audio","audio_event":{"audio_base_64":"A-_A","event_id":1}})",
        R"({"type":"audio","audio_event":{"audio_base_64":"AAAA)"})
    EXPECT_EQ(fault_of(text), base::Fault::protocol) << text;
}

TEST(AgentMessage, one_and_a_half_megabytes_of_audio_are_one_message) {
  std::string text = R"({"type":"audio","audio_event":{"audio_base_64":")";
  text.append(1'452'700, 'A').append(R"(","event_id":9}})");
  Decoded const decoded{text};
  ASSERT_NE(decoded.as<Audio>(), nullptr);
  EXPECT_EQ(decoded.as<Audio>()->bytes.size(), 1'452'700U / 4 * 3);
}

TEST(AgentMessage, the_audio_buffer_is_used_again) {
  Bytes buffer;
  ASSERT_TRUE(decode(R"({"type":"audio","audio_event":{"audio_base_64":"AQIDBAUG","event_id":1}})", buffer));
  auto const* const before = buffer.data();
  auto const second = decode(R"({"type":"audio","audio_event":{"audio_base_64":"Bwg=","event_id":1}})", buffer);
  ASSERT_TRUE(second);
  EXPECT_EQ(buffer.data(), before);
  EXPECT_EQ(bytes_of(std::get<Audio>(*second)), (Bytes{7, 8}));
}

TEST(AgentMessage, agent_response_is_trimmed_as_the_vendors_clients_do) {
  auto const response = read<AgentResponse>(
      R"({"type":"agent_response","agent_response_event":{"agent_response":" Hello, how can I help?\n","event_id":3,)"
      R"("response_id":"r","attachments":[{"url":"u","name":"n","mime_type":"m"}]}})");
  EXPECT_EQ(response.text, "Hello, how can I help?");
  EXPECT_EQ(response.event_id, 3);
}

TEST(AgentMessage, correction_may_lack_its_id) {
  auto const correction = read<Correction>(R"({"type":"agent_response_correction","agent_response_correction_event":{)"
                                           R"("original_agent_response":"Let me tell you the complete history...",)"
                                           R"("corrected_agent_response":"Let me tell you the..."}})");
  EXPECT_FALSE(correction.event_id);
  EXPECT_EQ(correction.original, "Let me tell you the complete history...");
  EXPECT_EQ(correction.corrected, "Let me tell you the...");
}

TEST(AgentMessage, turn_markers_carry_their_turn) {
  EXPECT_EQ(
      read<Complete>(R"({"type":"agent_response_complete","agent_response_complete_event":{"event_id":3}})").event_id,
      3);
  EXPECT_EQ(
      read<Interruption>(R"({"type":"interruption","interruption_event":{"event_id":3,"reason":"user"}})").event_id, 3);
  EXPECT_FALSE(read<Interruption>(R"({"type":"interruption"})").event_id);
}

TEST(AgentMessage, transcripts_are_final_or_tentative) {
  EXPECT_EQ(
      read<UserTranscript>(
          R"({"type":"user_transcript","user_transcription_event":{"user_transcript":"I want a refund","event_id":3}})")
          .text,
      "I want a refund");
  EXPECT_EQ(read<TentativeUserTranscript>(R"({"type":"tentative_user_transcript","tentative_user_transcription_event":)"
                                          R"({"user_transcript":"I want a","event_id":3}})")
                .text,
            "I want a");
}

TEST(AgentMessage, tool_call_keeps_its_parameters_as_json_text) {
  auto const call =
      read<ClientToolCall>(
          R"({"type":"client_tool_call","client_tool_call":{"tool_name":"lookup_order","tool_call_id":"call_8f",)"
          R"("parameters":{"order":"A1","tool_call_id":"not me","n":[1,2.5,null,"\u00e9"]},"event_id":5,)"
          R"("expects_response":false}})")
          .call;
  EXPECT_EQ(call.id, "call_8f");
  EXPECT_EQ(call.name, "lookup_order");
  EXPECT_EQ(nlohmann::json::parse(call.parameters_json),
            nlohmann::json::parse(R"({"order":"A1","tool_call_id":"not me","n":[1,2.5,null,"é"]})"));
  EXPECT_EQ(call.event_id, 5);
  EXPECT_FALSE(call.expects_response);
}

TEST(AgentMessage, tool_call_of_an_older_server_expects_an_answer) {
  auto const call =
      read<ClientToolCall>(R"({"type":"client_tool_call","client_tool_call":{"tool_name":"t","tool_call_id":"c"}})")
          .call;
  EXPECT_TRUE(call.expects_response);
  EXPECT_EQ(call.parameters_json, "{}");
}

TEST(AgentMessage, tool_call_without_an_id_cannot_be_answered_and_is_refused) {
  EXPECT_EQ(
      fault_of(R"({"type":"client_tool_call","client_tool_call":{"tool_name":"t","parameters":{"tool_call_id":"x"}}})"),
      base::Fault::protocol);
}

TEST(AgentMessage, tool_response_tells_whether_the_tool_really_ran) {
  auto const done = read<AgentToolResponse>(
      R"({"type":"agent_tool_response","agent_tool_response":{"tool_name":"end_call","tool_call_id":"end_call_1",)"
      R"("tool_type":"system","is_error":false,"is_called":true,"event_id":9}})");
  EXPECT_EQ(done.tool_name, "end_call");
  EXPECT_FALSE(done.is_error);
  auto const old = read<AgentToolResponse>(
      R"({"type":"agent_tool_response","agent_tool_response":{"tool_name":"end_call","tool_call_id":"e","tool_type":"system",)"
      R"("is_error":false}})");
  EXPECT_TRUE(old.is_called);
}

TEST(AgentMessage, mcp_call_tells_its_state) {
  auto const call = read<McpToolCall>(
      R"({"type":"mcp_tool_call","mcp_tool_call":{"service_id":"s","tool_call_id":"t","tool_name":"n","tool_description":"d",)"
      R"("parameters":{},"timestamp":"2026-01-01T00:00:00Z","state":"awaiting_approval","approval_timeout_secs":300}})");
  EXPECT_EQ(call.tool_call_id, "t");
  EXPECT_EQ(call.state, "awaiting_approval");
}

TEST(AgentMessage, queue_status_has_three_known_values) {
  using Status = QueueStatus::Status;
  std::pair<char const*, Status> const cases[] = {{"waiting", Status::waiting},
                                                  {"admitted", Status::admitted},
                                                  {"timed_out", Status::timed_out},
                                                  {"on_the_moon", Status::other}};
  for (auto const& [written, expected] : cases) {
    auto const text = std::string{R"({"type":"queue_status","queue_status_event":{"status":")"} + written + "\"}}";
    EXPECT_EQ(read<QueueStatus>(text).status, expected) << written;
  }
}

TEST(AgentMessage, errors_come_in_three_shapes_and_bare) {
  auto const contract = read<ErrorEvent>(
      R"({"type":"error","error_event":{"code":1008,"message":"Override not allowed","error_type":"override_error",)"
      R"("reason":"...","debug_message":"...","details":{}}})");
  EXPECT_EQ(contract.code, 1008);
  EXPECT_EQ(contract.type, "override_error");
  auto const client =
      read<ErrorEvent>(R"({"type":"client_error","error_event":{"code":1008,"message":"m","error_name":"bad"}})");
  EXPECT_EQ(client.code, 1008);
  EXPECT_EQ(client.type, "bad");
  auto const flat = read<ErrorEvent>(
      R"({"type":"error","message":"received 1002 (protocol error) This request exceeds your quota limit.; then sent 1002"})");
  EXPECT_FALSE(flat.code);
  EXPECT_NE(flat.message.find("quota"), std::string::npos);
  auto const bare = read<ErrorEvent>(R"({"type":"error"})");
  EXPECT_FALSE(bare.code);
  EXPECT_TRUE(bare.type.empty());
  EXPECT_FALSE(read<ErrorEvent>(R"({"type":"error","error_event":"oops"})").code);
  EXPECT_FALSE(read<ErrorEvent>(R"({"type":"error","error_event":{"code":-5}})").code);
}

TEST(AgentMessage, the_rest_of_the_contract_is_known_and_ignored) {
  EXPECT_DOUBLE_EQ(read<VadScore>(R"({"type":"vad_score","vad_score_event":{"vad_score":0.25}})").score, 0.25);
  read<GuardrailTriggered>(R"({"type":"guardrail_triggered"})");
  for (
      char const* text :
      {R"({"type":"agent_response_metadata","agent_response_metadata_event":{"event_id":3,"metadata":{}}})",
       R"({"type":"agent_tool_request","agent_tool_request":{"tool_name":"end_call","tool_call_id":"e","tool_type":"system","event_id":9}})",
       R"({"type":"agent_tool_response_full_payload","agent_tool_response_full_payload":{"tool_name":"x","truncated":false}})",
       R"({"type":"mcp_connection_status","mcp_connection_status":{"integrations":[]}})",
       R"({"type":"internal_tentative_agent_response","tentative_agent_response_internal_event":{"tentative_agent_response":"x"}})",
       R"({"type":"internal_turn_probability","turn_probability_internal_event":{"turn_probability":0.5}})",
       R"({"type":"agent_chat_response_part","text_response_part":{"text":"x","type":"delta","event_id":3}})",
       R"({"type":"agent_reasoning_response_part","reasoning_response_part":{"text":"x","type":"delta","event_id":"r1"}})",
       R"({"type":"asr_initiation_metadata","asr_initiation_metadata_event":{}})",
       R"({"type":"context_usage","context_usage_event":{"event_id":1,"model":"m","context_tokens":1,"context_limit_tokens":2}})",
       R"({"type":"agent_typing","agent_typing_event":{"is_typing":true}})", R"({"type":"external_agent_connected"})",
       R"({"type":"external_agent_disconnected"})", R"({"type":"rich_content","rich_content":{"event_id":1}})",
       R"({"type":"dtmf_request"})", R"({"type":"contextual_update","text":"x"})"})
    EXPECT_NE(Decoded{text}.as<Ignored>(), nullptr) << text;
}

TEST(AgentMessage, an_unknown_type_is_a_value_and_not_an_error) {
  EXPECT_EQ(read<Unknown>(R"({"type":"agent_sneezed","agent_sneezed_event":{"event_id":1}})").type, "agent_sneezed");
}

TEST(AgentMessage, what_is_no_message_is_refused) {
  for (char const* text : {"", " ", "null", "[]", "7", "\"audio\"", "{}", R"({"type":7})",
                           R"({"user_audio_chunk":"AAAA"})", R"({"type":"ping")", R"({"type":"ping"} {"type":"ping"})",
                           R"({"type":"ping"})", R"({"type":"agent_response","agent_response_event":"x"})",
                           "{\"type\":\"\xff\"}", R"({"type":"ping","ping_event":{"event_id":1e999}})"})
    EXPECT_EQ(fault_of(text), base::Fault::protocol) << text;
}

TEST(AgentMessage, too_deep_and_too_long_are_refused_before_parsing) {
  auto const nested = [](std::size_t depth) {
    return R"({"type":"x","a":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_NE(Decoded{nested(63)}.as<Unknown>(), nullptr);
  EXPECT_EQ(fault_of(nested(64)), base::Fault::too_large);
  EXPECT_EQ(fault_of(std::string(max_message_bytes, '[')), base::Fault::too_large);
  EXPECT_EQ(fault_of(std::string(max_message_bytes + 1, ' ')), base::Fault::too_large);
  EXPECT_NE(Decoded{R"({"type":"x","a":")" + std::string(500, '[') + "\\\"[[\"}"}.as<Unknown>(), nullptr);
}

// ---- ours ----------------------------------------------------------------------------------------------------------

AgentRequest request_with_everything() {
  AgentRequest request;
  request.agent_id = "agent_x";
  request.dynamic_variables = {{"customer_name", std::string{"Ada \"the\" first\n"}},
                               {"balance", 12.5},
                               {"vip", true},
                               {"visits", std::int64_t{3}},
                               {"system__call_sid", std::string{"CA"}},
                               {"nothing", std::numeric_limits<double>::quiet_NaN()}};
  request.first_message = "Hi, this is Anna.";
  request.language = "en";
  request.user_id = "crm-4711";
  return request;
}

TEST(AgentAnswer, initiation_is_flat_and_holds_what_is_set) {
  std::string out = "left over";
  encode_initiation(out, request_with_everything());
  EXPECT_EQ(nlohmann::json::parse(out), nlohmann::json::parse(R"({
      "type":"conversation_initiation_client_data",
      "conversation_config_override":{"agent":{"first_message":"Hi, this is Anna.","language":"en"}},
      "dynamic_variables":{"customer_name":"Ada \"the\" first\n","balance":12.5,"vip":true,"visits":3},
      "user_id":"crm-4711"})"));
}

TEST(AgentAnswer, texts_that_are_not_utf8_still_make_valid_json) {
  for (char const* bad : {"\xff", "\xc0\x80", "\xe0\x9e\x9d", "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80",
                          "\xe2\x82", "\xe0"}) {
    std::string out;
    encode_contextual_update(out, bad, bad);
    EXPECT_TRUE(nlohmann::json::accept(out)) << out;
  }
  std::string out;
  encode_user_message(out, "Grüße 漢 😀");
  EXPECT_EQ(nlohmann::json::parse(out)["text"], "Grüße 漢 😀");
}

TEST(AgentAnswer, initiation_with_nothing_to_say_holds_only_its_type) {
  std::string out;
  encode_initiation(out, AgentRequest{.agent_id = "agent_x"});
  EXPECT_EQ(out, R"({"type":"conversation_initiation_client_data"})");
}

TEST(AgentAnswer, an_empty_first_message_is_an_override_too) {
  AgentRequest request;
  request.first_message = "";
  std::string out;
  encode_initiation(out, request);
  EXPECT_EQ(
      out,
      R"({"type":"conversation_initiation_client_data","conversation_config_override":{"agent":{"first_message":""}}})");
}

TEST(AgentAnswer, audio_has_no_type) {
  std::string out = "left over";
  encode_audio(out, Bytes{0x7f, 0x7f, 0x7f, 0x7f, 0x7f});
  EXPECT_EQ(out, R"({"user_audio_chunk":"f39/f38="})");
}

TEST(AgentAnswer, every_other_message_matches_the_contract) {
  std::string out;
  encode_pong(out, 0);
  EXPECT_EQ(out, R"({"type":"pong","event_id":0})");
  encode_tool_result(out, "tool_call_123", R"({"status":"active"})", false);
  EXPECT_EQ(
      out,
      R"({"type":"client_tool_result","tool_call_id":"tool_call_123","result":"{\"status\":\"active\"}","is_error":false})");
  encode_contextual_update(out, "dtmf", "Caller pressed 3 on the keypad");
  EXPECT_EQ(out, R"({"type":"contextual_update","text":"Caller pressed 3 on the keypad","context_id":"dtmf"})");
  encode_contextual_update(out, "", "plain");
  EXPECT_EQ(out, R"({"type":"contextual_update","text":"plain"})");
  encode_user_message(out, "I would like to upgrade");
  EXPECT_EQ(out, R"({"type":"user_message","text":"I would like to upgrade"})");
  encode_key_press(out, "12#");
  EXPECT_EQ(out, R"({"type":"user_message","text":"I pressed 12# on the keypad."})");
  encode_user_activity(out);
  EXPECT_EQ(out, R"({"type":"user_activity"})");
  encode_mcp_approval(out, "t", false);
  EXPECT_EQ(out, R"({"type":"mcp_tool_approval_result","tool_call_id":"t","is_approved":false})");
}

}  // namespace
}  // namespace gateway::elevenlabs
