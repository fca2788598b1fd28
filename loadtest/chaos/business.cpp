#include "loadtest/chaos/business.h"

#include <fstream>
#include <stdexcept>

namespace sim::chaos {
namespace {

// There is a free time for every caller of a long run: else the later ones would ask for nothing.
constexpr char const* always_open =
    "update tenants set slot_minutes = 15, lead_minutes = 0, opening_hours = "
    "(select jsonb_object_agg(day, '[[\"00:00\", \"24:00\"]]'::jsonb) "
    "from unnest(array['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']) day)";

std::string first_line(std::string const& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

bool make_business(Gateway const& gateway, Outside const& outside, std::filesystem::path const& folder) {
  auto const tenant = first_line(
      gateway.command({"tenants", "add", "--name", "Chaos", "--timezone", "UTC", "--max-concurrent-calls", "100000"}));
  if (!gateway.query(always_open)) throw std::runtime_error{"the business cannot be opened day and night"};
  (void)gateway.command({"agents", "add", "--tenant", tenant, "--name", "Front desk", "--elevenlabs-agent-id", agent_id,
                         "--number", number});
  auto const secret = folder / "webhook-secret";
  std::ofstream{secret} << outside.webhook_secret() << '\n';
  try {
    (void)gateway.command({"integrations", "add", "--tenant", tenant, "--name", "Receiver", "--url",
                           outside.webhook_url(), "--secret-file", secret.string()});
  } catch (std::runtime_error const&) {
    return false;
  }
  return true;
}

}  // namespace sim::chaos
