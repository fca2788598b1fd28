#pragma once
#include <optional>
#include <string>
#include <vector>

#include "crm/outbox/deliverer.h"
#include "crm/pg/pool.h"

namespace crm {

/// A text message to one person.
struct SmsText {
  base::TenantId tenant;
  std::string id;  ///< Ours, "msg_…": what becomes of it is told under this name.
  /// Whose number it is sent from; nothing: the sender's first account.
  std::optional<base::AccountSid> account;
  std::string from;  ///< E.164.
  std::string to;    ///< E.164.
  std::string body;  ///< At most 1600 characters.
};

/// Sends text messages. Sending the same again is another message: whoever does not know whether one was taken looks.
class SmsSender {
 public:
  virtual ~SmsSender() = default;
  /// The receipt's remote id is the carrier's for the message, which has only been accepted then.
  virtual base::Async<Delivered<Receipt>> send(SmsText message, base::Instant deadline) = 0;
  /// The carrier's ids of messages like this one (numbers and text) that it accepted at `since` or later, oldest first.
  virtual base::Async<Delivered<std::vector<std::string>>> sent_since(SmsText message, Wall since,
                                                                      base::Instant deadline) = 0;
};

/// Sends the message that a row names: an answer to a caller at once, anything else within the recipient's calling
/// hours, nothing to somebody who wants no texts. When an earlier attempt may have been accepted, it looks for it
/// first; a message like it that is known as another one of ours does not count.
class SmsDeliverer final : public Deliverer {
 public:
  SmsDeliverer(SmsSender& sender, pg::Pool& pool, base::TimeSource& time) : sender_{sender}, pool_{pool}, time_{time} {}
  base::Async<Delivered<Receipt>> deliver(OutboxRow row, base::Instant deadline) override;

 private:
  base::Async<Delivered<Receipt>> send(SmsText message, OutboxRow const& row, base::Instant deadline);

  SmsSender& sender_;
  pg::Pool& pool_;
  base::TimeSource& time_;
};

}  // namespace crm
