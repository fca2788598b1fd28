#pragma once
// The JSON of the REST twin's resources (Twilio's OpenAPI description of 2010-04-01).
#include <string>
#include <string_view>
#include <vector>

#include "gateway/net/http.h"
#include "loadtest/sim/twilio/call_book.h"
#include "loadtest/sim/twilio/rest_twin.h"

namespace sim::twilio {

net::Response rest_error(unsigned status, int code, std::string_view message);
std::string call_json(CallRecord const& call);
std::string number_json(IncomingNumber const& number, std::string const& account_sid);
std::string message_json(SentMessage const& message, std::string const& account_sid);
std::string recording_json(std::string const& sid, std::size_t file_bytes, std::string const& account_sid);

/// One page of a list: `items` are the JSON texts of all resources, of which the page `page` of `page_size` is shown.
std::string page_json(std::string_view array_name, std::vector<std::string> const& items, std::string const& path,
                      std::size_t page, std::size_t page_size);

}  // namespace sim::twilio
