#include "gateway/agent/agents.h"

#include <algorithm>
#include <array>

#include "gateway/agent/elevenlabs/session.h"

namespace gateway {
namespace {

std::unique_ptr<AgentProvider> make_elevenlabs(AgentSettings const& settings, AgentServices& with) {
  return std::make_unique<elevenlabs::Provider>(settings.elevenlabs, with.http, with.tls, with.time, with.metrics,
                                                with.log);
}

using Make = std::unique_ptr<AgentProvider> (*)(AgentSettings const&, AgentServices&);

constexpr std::array<std::string_view, 1> names{"elevenlabs"};
constexpr std::array<Make, names.size()> makers{make_elevenlabs};

}  // namespace

std::span<std::string_view const> agent_provider_names() {
  return names;
}

base::Result<std::unique_ptr<AgentProvider>> make_agent_provider(std::string_view name, AgentSettings const& settings,
                                                                 AgentServices services) {
  auto const found = std::ranges::find(names, name);
  if (found == names.end()) return base::fail(base::Fault::not_found, "no agent provider of that name");
  return makers[static_cast<std::size_t>(found - names.begin())](settings, services);
}

}  // namespace gateway
