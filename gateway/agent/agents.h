#pragma once
// The one table of agent providers.
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "gateway/agent/elevenlabs/settings.h"
#include "gateway/base/log.h"
#include "gateway/base/metrics.h"
#include "gateway/base/result.h"
#include "gateway/base/time_source.h"
#include "gateway/call/leg.h"
#include "gateway/net/http_client.h"
#include "gateway/net/websocket.h"

namespace gateway {

/// What any provider may use; all of it must outlive the provider.
struct AgentServices {
  net::HttpClient& http;
  net::TlsClient& tls;
  base::TimeSource& time;
  base::Metrics& metrics;
  base::Log log;
};

/// One section a provider.
struct AgentSettings {
  elevenlabs::Settings elevenlabs;
};

std::span<std::string_view const> agent_provider_names();

/// Fault::not_found for a name that is not in the table.
base::Result<std::unique_ptr<AgentProvider>> make_agent_provider(std::string_view name, AgentSettings const& settings,
                                                                 AgentServices services);

}  // namespace gateway
