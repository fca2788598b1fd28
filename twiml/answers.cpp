#include "twiml/answers.h"

#include <cassert>

namespace twiml {
namespace {

constexpr std::size_t max_spoken_characters = 4000;

/// The first `limit` characters; never ends within one.
std::string_view cut(std::string_view text, std::size_t limit) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool const starts_character = (text[i] & 0xC0) != 0x80;
    // Bytes are counted too when they cannot belong to a character: such text is not UTF-8 and each becomes one.
    if (starts_character && count++ == limit) return text.substr(0, i);
    if (i == 4 * limit) return text.substr(0, i);
  }
  return text;
}

Say say(std::string_view text) {
  return Say{std::string{cut(text, max_spoken_characters)}};
}

/// For verbs that have no way to be refused: bounded text and no URL.
void must_add(Document& document, Verb verb) {
  auto const added = document.add(std::move(verb));
  assert(added.has_value());
  (void)added;
}

}  // namespace

base::Result<Document> connect_stream(StreamAnswer answer) {
  Document document;
  if (answer.pause.count() > 0) must_add(document, Pause{answer.pause});
  ConnectStream stream{.url = std::move(answer.stream_url),
                       .name = std::move(answer.stream_name),
                       .status_callback = std::move(answer.status_callback)};
  stream.parameters.emplace_back(ticket_parameter, std::move(answer.ticket));
  for (auto& parameter : answer.more_parameters) stream.parameters.push_back(std::move(parameter));
  if (auto added = document.add(std::move(stream)); !added) return std::unexpected{added.error()};
  if (auto added = document.add(Redirect{std::move(answer.resume_url)}); !added) return std::unexpected{added.error()};
  return document;
}

Document sorry_and_hang_up(std::string_view text) {
  Document document;
  if (!text.empty()) must_add(document, say(text));
  must_add(document, Hangup{});
  return document;
}

base::Result<Document> forward_to(std::string_view number, std::string_view action_url, std::string_view caller_id) {
  Document document;
  Dial dial{.number = std::string{number},
            .caller_id = std::string{caller_id},
            .timeout = std::chrono::seconds{20},
            .action = std::string{action_url},
            .answer_on_bridge = true};
  if (auto added = document.add(std::move(dial)); !added) return std::unexpected{added.error()};
  return document;
}

base::Result<Document> take_voicemail(std::string_view text, std::string_view action_url) {
  Document document;
  if (!text.empty()) must_add(document, say(text));
  Record record{.action = std::string{action_url},
                .max_length = std::chrono::seconds{120},
                .timeout = std::chrono::seconds{5},
                .finish_on_key = "#"};
  if (auto added = document.add(std::move(record)); !added) return std::unexpected{added.error()};
  must_add(document, Hangup{});
  return document;
}

Document busy(std::string_view text) {
  if (!text.empty()) return sorry_and_hang_up(text);
  Document document;
  must_add(document, Reject{Reject::Reason::busy});
  return document;
}

Document empty() {
  return {};
}

}  // namespace twiml
