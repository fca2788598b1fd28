#include "crm/desk/desk_task.h"

#include <nlohmann/json.hpp>

#include "crm/model/phone_number.h"
#include "crm/pg/storable_text.h"
#include "gateway/base/text.h"

namespace crm {
namespace {

constexpr std::size_t longest_id = 200;

std::string limited(std::string_view text, std::size_t limit) {
  return pg::storable_text(base::trimmed(base::clipped(text, limit)));
}

std::optional<std::string> text_in(nlohmann::json const& json, char const* key, std::size_t limit) {
  auto const found = json.find(key);
  if (found == json.end() || !found->is_string()) return std::nullopt;
  auto text = limited(found->get_ref<std::string const&>(), limit);
  if (text.empty()) return std::nullopt;
  return text;
}

}  // namespace

DeskParameters read_parameters(std::string const& text) {
  auto json = nlohmann::json::parse(pg::storable_text(text), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) json = nlohmann::json::object();
  DeskParameters parameters;
  parameters.day = text_in(json, "day", 40);
  parameters.from = text_in(json, "from", 40);
  parameters.to = text_in(json, "to", 40);
  parameters.start = text_in(json, "start", 40);
  if (!parameters.start) parameters.start = text_in(json, "new_start", 40);
  parameters.service = text_in(json, "service", 100);
  parameters.name = text_in(json, "name", 200);
  parameters.notes = text_in(json, "notes", 1000);
  parameters.phone = text_in(json, "phone", 64);
  parameters.email = text_in(json, "email", 254);
  parameters.message = text_in(json, "message", 2000);
  parameters.appointment_id = text_in(json, "appointment_id", 64);
  auto const urgent = json.find("urgent");
  parameters.urgent = urgent != json.end() && urgent->is_boolean() && urgent->get<bool>();
  return parameters;
}

bool DeskTask::knows_number() const {
  return is_e164(caller.person);
}

DeskTask read_task(DeskCaller caller, DeskRequest const& request, Wall now) {
  auto id = limited(request.tool_call_id, longest_id);
  if (id.empty()) id = base::new_id("ask");
  return DeskTask{.caller = std::move(caller),
                  .tool = request.tool,
                  .request = std::move(id),
                  .parameters = read_parameters(request.parameters_json),
                  .now = now};
}

}  // namespace crm
