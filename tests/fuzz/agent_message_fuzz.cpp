#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <span>

#include "gateway/agent/elevenlabs/ending.h"
#include "gateway/agent/elevenlabs/message.h"
#include "gateway/agent/elevenlabs/rest.h"
#include "gateway/base/base64.h"

namespace {

using namespace gateway::elevenlabs;

bool is_json(std::string const& text) {
  return nlohmann::json::accept(text);
}

/// Audio found on the short way must be what the JSON says.
void check_audio(std::string_view text, Audio const& audio) {
  auto const json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) std::abort();
  std::vector<std::uint8_t> bytes(base::base64_decoded_bound(text.size()));
  auto const size = base::decode_base64(json["audio_event"]["audio_base_64"].get<std::string>(), bytes);
  if (!size || !std::ranges::equal(audio.bytes, std::span{bytes}.first(*size))) std::abort();
  auto const id = json["audio_event"].find("event_id");
  bool const has_plain_id =
      id != json["audio_event"].end() && id->is_number_unsigned() && id->get<std::uint64_t>() < 1000;
  if (has_plain_id && audio.event_id != id->get<std::int64_t>()) std::abort();
  if (audio.alignment && audio.alignment->characters.size() != audio.alignment->starts_ms.size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const text{reinterpret_cast<char const*>(data), size};
  std::vector<std::uint8_t> buffer;
  std::string out;
  auto const message = decode(text, buffer);
  if (message) {
    if (auto const* audio = std::get_if<Audio>(&*message)) check_audio(text, *audio);
    if (auto const* tool = std::get_if<ClientToolCall>(&*message)) {
      if (tool->call.id.empty() || !is_json(tool->call.parameters_json)) std::abort();
      encode_tool_result(out, tool->call.id, tool->call.parameters_json, false);
      if (!is_json(out)) std::abort();
    }
    if (auto const* error = std::get_if<ErrorEvent>(&*message)) (void)ending_of({1006, text, error, false});
  }
  gateway::AgentRequest request;
  request.dynamic_variables.emplace(std::string{text}, std::string{text});
  request.first_message = std::string{text};
  encode_initiation(out, request);
  if (!is_json(out)) std::abort();
  if (for_log(text).size() > 120) std::abort();
  (void)read_signed_url(net::Response::json(200, std::string{text}), true);
  if (api_error_code(text).size() > 40) std::abort();
  return 0;
}
