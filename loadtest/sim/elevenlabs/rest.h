#pragma once
#include "gateway/net/router.h"
#include "loadtest/sim/elevenlabs/platform.h"

namespace sim::elevenlabs {

/// The REST side of the platform: signed URLs, agents, conversations, account.
class Rest {
 public:
  Rest(base::TimeSource& time, Platform& platform) : time_{time}, platform_{platform} {}
  /// The router's handlers refer to this object.
  void add_routes(net::Router& router);

 private:
  using Answer = net::Response (Rest::*)(net::Request const&);
  base::Async<net::Response> serve(Answer answer, net::Request request);

  net::Response signed_url(net::Request const& request);
  net::Response list_agents(net::Request const& request);
  net::Response get_agent(net::Request const& request);
  net::Response list_conversations(net::Request const& request);
  net::Response get_conversation(net::Request const& request);
  net::Response user(net::Request const& request);
  net::Response subscription(net::Request const& request);

  base::TimeSource& time_;
  Platform& platform_;
};

/// An error body of the service.
net::Response rest_error(unsigned status, std::string_view code, std::string_view message, RestFault::Shape shape);

/// The detail object of a conversation, which is also the `data` of the post-call webhook. JSON.
std::string conversation_detail(Platform const& platform, ConversationRecord const& conversation);

}  // namespace sim::elevenlabs
