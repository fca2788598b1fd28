// Whatever a provider says after a call: every text can be stored and has a limit, and what becomes a column is JSON.
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "crm/pg/storable_text.h"
#include "gateway/agent/elevenlabs/post_call.h"
#include "gateway/agent/elevenlabs/webhook_signature.h"

namespace {

using namespace gateway::elevenlabs;

void check_text(std::string const& text, std::size_t most) {
  if (text.size() > most || crm::pg::storable_text(text) != text) std::abort();
}

void check(PostCall const& call) {
  for (auto const* text : {&call.conversation_id, &call.agent_id, &call.status, &call.call_sid}) check_text(*text, 100);
  check_text(call.termination_reason, 300);
  check_text(call.summary.value_or(""), 8 * 1024);
  check_text(call.title.value_or(""), 300);
  if (call.evaluation.size() > 100 || call.collected.size() > 100 || call.quarantine.size() > 50) std::abort();
  for (auto const& criterion : call.evaluation) {
    check_text(criterion.id, 100);
    check_text(criterion.result, 7);
    check_text(criterion.rationale, 2 * 1024);
  }
  for (auto const& one : call.collected) {
    check_text(one.value_json, 8 * 1024);
    if (!nlohmann::json::accept(one.value_json)) std::abort();
  }
  if (call.transcript.size() > 2000) std::abort();
  for (auto const& turn : call.transcript) {
    check_text(turn.text, 8 * 1024);
    check_text(turn.original, 8 * 1024);
  }
  for (auto const& [field, complaint] : call.quarantine) {
    check_text(field, 300);
    check_text(complaint, 100);
  }
  for (auto const& column : {evaluation_json(call), collected_json(call)})
    if (!nlohmann::json::accept(column) || column.size() > 256 * 1024) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const text{reinterpret_cast<char const*>(data), size};
  auto const event = read_post_call_event(text);
  if (event && event->call) check(*event->call);
  auto const call = read_conversation(text);
  if (call) check(*call);
  static base::Secret const secret{"a secret that the fuzzer does not know"};
  if (check_signature(secret, text, "{}", 1'000'000) == SignatureVerdict::good) std::abort();
  auto const header = sign_webhook(secret, text, 1'000'000);
  if (check_signature(secret, header, text, 1'000'000) != SignatureVerdict::good) std::abort();
  return 0;
}
