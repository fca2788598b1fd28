#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"
#include "twiml/verbs.h"

namespace twiml {

/// Twilio's error 11750 starts here.
inline constexpr std::size_t max_document_bytes = 64 * 1024;

/// What to do with a call, as Twilio reads it: the verbs run from top to bottom, then the call ends.
class Document {
 public:
  /// Appends a verb, or refuses it and stays as it was: Fault::protocol for a verb Twilio would refuse (a stream URL
  /// that is not wss or has a query, a missing URL, number or recording action), Fault::too_large for a stream
  /// parameter of 500 or more characters and for a document over 64 kB.
  base::Result<> add(Verb verb);

  std::vector<Verb> const& verbs() const { return verbs_; }

  /// The answer's body for Content-Type text/xml: declaration first, UTF-8, no layout. Invalid UTF-8 becomes U+FFFD;
  /// characters that XML 1.0 forbids are left out; a carriage return or, within an attribute, a tab becomes a space.
  std::string xml() const;

 private:
  std::vector<Verb> verbs_;
  std::size_t bytes_ = 0;  ///< Of the verbs as written.
};

/// The text as `Document::xml` will carry it, before escaping. Exported because limits and tests must count the same
/// text.
std::string printable(std::string_view text);

}  // namespace twiml
