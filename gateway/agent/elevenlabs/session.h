#pragma once
// ElevenLabs as an agent provider.
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>

#include "gateway/agent/elevenlabs/conversation.h"

namespace gateway::elevenlabs {

/// One caller's agent: finds the socket, opens it, talks. When the service breaks before anything has happened (no
/// agent audio, no caller transcript, no tool call) it tries once more with a fresh signed URL; on_agent_ready then
/// comes a second time, with another conversation id, and possibly the first agent text too. A start that is slow
/// rather than broken (more than half of the budget gone) is not tried again, so a caller never waits longer than one
/// and a half budgets.
class Session final : public AgentLeg {
 public:
  Session(Services const& services, AgentRequest request) : services_{services}, request_{std::move(request)} {}

  /// Once. `code` of the end is the WebSocket close code, or 0 when the conversation never opened.
  base::Async<AgentLegEnd> run(AgentEvents& events) override;
  void hear(std::span<std::uint8_t const> bytes) override;
  /// Waits for the agent when it is not there yet; at most 16 texts do.
  void tell(std::string_view topic, std::string_view text) override;
  /// The agent has no input for keys (socket contract, 2026-08), so it reads them as a message. Waits like tell().
  void press(std::string_view digits) override;
  void answer_tool(std::string_view call_id, std::string_view result, bool is_error) override;
  void keep_patient() override;
  /// While run() is still connecting this returns at once and run() ends soon after.
  base::Async<> close() override;

 private:
  std::string* waiting_text();
  base::Async<AgentLegEnd> attempt(AgentEvents& events);
  base::Async<> reach(std::unique_ptr<net::WebSocket>& socket, std::optional<AgentLegEnd>& failure,
                      base::Instant deadline);
  base::Async<bool> must_stop();
  void record(AgentLegEnd const& end) const;

  Services const& services_;
  AgentRequest request_;
  std::unique_ptr<Conversation> conversation_;
  std::optional<asio::steady_timer> quit_;  // rung by close() while there is no conversation to close
  std::vector<std::string> unsaid_;
  std::string conversation_id_;
  bool may_retry_ = false;
  bool is_closing_ = false;
};

/// Thread safe; must outlive its legs, as must everything handed in.
class Provider final : public AgentProvider {
 public:
  Provider(Settings settings, net::HttpClient& http, net::TlsClient& tls, base::TimeSource& time,
           base::Metrics& metrics, base::Log log);
  std::unique_ptr<AgentLeg> make_leg(AgentRequest request) override;

 private:
  Services services_;
};

}  // namespace gateway::elevenlabs
