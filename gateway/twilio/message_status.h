#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <optional>
#include <string>

#include "crm/pg/pool.h"
#include "gateway/base/log.h"
#include "gateway/base/metrics.h"
#include "gateway/net/form.h"
#include "gateway/net/http.h"
#include "gateway/twilio/accounts.h"
#include "gateway/twilio/signature.h"

namespace gateway::twilio {

inline constexpr char const* message_status_path = "/api/twilio/message-status";

/// What Twilio tells of a text message of ours.
struct MessageStatus {
  std::string sid;     ///< "SM…" or "MM…".
  std::string status;  ///< sent, delivered, undelivered or failed; empty for what is no news to us.
};
/// Fault::protocol without a message's sid.
base::Result<MessageStatus> decode_message_status(net::Form const& form);

struct MessageStatusServices {
  SignatureVerifier const& verifier;
  Accounts const& accounts;
  asio::any_io_executor back_office;
  crm::pg::Pool& database;  ///< The back office's.
  base::TimeSource& time;
  base::Log log;
};

/// POST /api/twilio/message-status?tenant=…&message=…: progress of a text message. 403 unsigned, 503 when it could not
/// be kept. Any core may ask.
class MessageStatusDoor {
 public:
  explicit MessageStatusDoor(MessageStatusServices services) : services_{std::move(services)} {}
  base::Async<net::Response> receive(net::Request request);

 private:
  base::Async<net::Response> keep(MessageStatus status, base::TenantId tenant, std::string message);

  MessageStatusServices services_;
};

}  // namespace gateway::twilio
