#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include "twiml/document.h"

/// What a receptionist answers, ready to send. Spoken texts are cut to what Twilio's voice takes (4,000 characters), so
/// an answer without URLs cannot fail; those with URLs fail as `Document::add` does.
namespace twiml {

struct StreamAnswer {
  std::string stream_url;         ///< wss://…, no query.
  std::string ticket;             ///< One-time proof that the socket belongs to this call.
  std::string resume_url;         ///< Asked when the stream has ended for whatever reason.
  std::chrono::seconds pause{0};  ///< Before the stream opens.
  std::string stream_name = {};
  std::string status_callback = {};
  std::vector<std::pair<std::string, std::string>> more_parameters = {};  ///< Behind the ticket.
};

/// The <Parameter> under which the ticket arrives in `start.customParameters`.
inline constexpr char ticket_parameter[] = "ticket";

/// Optional Pause, the two-way stream, then Redirect to the resume URL: a dead stream or node never leaves the caller
/// alone.
base::Result<Document> connect_stream(StreamAnswer answer);

/// Says the text (when there is one) and ends the call.
Document sorry_and_hang_up(std::string_view text);

/// Rings the number for 20 s while the caller hears ringing; Twilio then asks `action_url` with the DialCallStatus. An
/// empty `caller_id` shows the caller's own number.
base::Result<Document> forward_to(std::string_view number, std::string_view action_url,
                                  std::string_view caller_id = {});

/// Says the text, beeps, records up to two minutes (5 s of silence or # end it) and asks `action_url` with the
/// RecordingUrl.
base::Result<Document> take_voicemail(std::string_view text, std::string_view action_url);

/// All lines taken: without a text the caller hears a busy tone and nobody pays; with one it is said first.
Document busy(std::string_view text = {});

/// Nothing to do: the answer to a callback, or an SMS that gets no reply.
Document empty();

}  // namespace twiml
