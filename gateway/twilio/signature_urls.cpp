#include "gateway/twilio/signature_urls.h"

#include <algorithm>
#include <optional>

namespace gateway::twilio {
namespace {

struct Pieces {
  std::string scheme;  ///< With "://".
  std::string host;
  std::string port;   ///< With ":", or empty.
  std::string path;   ///< As written, may be empty.
  std::string query;  ///< With "?", or empty.
};

std::string lower(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

/// Twilio drops user:password@ and the fragment before it signs.
std::optional<Pieces> take_apart(std::string_view url) {
  auto const scheme_end = url.find("://");
  if (scheme_end == url.npos) return std::nullopt;
  Pieces pieces;
  pieces.scheme = lower(url.substr(0, scheme_end)) + "://";
  auto rest = url.substr(scheme_end + 3);
  rest = rest.substr(0, rest.find('#'));
  auto authority = rest.substr(0, rest.find_first_of("/?"));
  rest.remove_prefix(authority.size());
  if (auto const at = authority.rfind('@'); at != authority.npos) authority.remove_prefix(at + 1);
  // The colon of a port stands behind the closing bracket of an IPv6 address.
  auto const bracket = authority.rfind(']');
  auto const colon = authority.find(':', bracket == authority.npos ? 0 : bracket);
  pieces.host = authority.substr(0, colon);
  if (colon != authority.npos) pieces.port = authority.substr(colon);
  pieces.path = rest.substr(0, rest.find('?'));
  pieces.query = rest.substr(pieces.path.size());
  if (pieces.host.empty()) return std::nullopt;
  return pieces;
}

/// The query as a browser's URL parser writes it: what may not stand there is escaped, existing escapes stay.
std::string escaped_query(std::string_view query) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (char const c : query) {
    auto const byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7F || c == '"' || c == '\'' || c == '<' || c == '>') {
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    } else {
      out += c;
    }
  }
  return out;
}

std::string escaped_component(std::string_view text) {
  auto out = net::percent_encode(text);
  for (auto const& [escape, mark] : {std::pair{"%21", '!'}, {"%27", '\''}, {"%28", '('}, {"%29", ')'}, {"%2A", '*'}}) {
    for (auto at = out.find(escape); at != out.npos; at = out.find(escape, at)) out.replace(at, 3, 1, mark);
  }
  return out;
}

/// The query decoded and encoded again as Node's `querystring` module does: equal names come together, escapes become
/// upper case, a space %20. Nothing when the query does not decode.
std::optional<std::string> reencoded_query(std::string_view query) {
  if (query.size() < 2) return std::nullopt;
  auto const form = net::decode_form(query.substr(1), {.max_fields = 100});
  if (!form) return std::nullopt;
  std::vector<std::string_view> names;
  for (auto const& [name, value] : *form) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  std::string out;
  for (auto const name : names) {
    for (auto const& [field, value] : *form) {
      if (field != name) continue;
      out += (out.empty() ? "?" : "&") + escaped_component(name) + "=" + escaped_component(value);
    }
  }
  return out;
}

bool has_dot_segment(std::string_view path) {
  while (!path.empty()) {
    path.remove_prefix(1);
    auto const segment = path.substr(0, path.find('/'));
    if (segment == "." || segment == "..") return true;
    path.remove_prefix(segment.size());
  }
  return false;
}

void add(std::vector<SignedUrl>& urls, SignedUrl url) {
  auto const same = [&](SignedUrl const& known) {
    return known.url == url.url && known.query_as_fields == url.query_as_fields;
  };
  if (std::ranges::none_of(urls, same)) urls.push_back(std::move(url));
}

}  // namespace

std::vector<SignedUrl> request_urls(std::string_view url) {
  auto const pieces = take_apart(url);
  if (!pieces) return {};
  auto const usual_port = pieces->scheme == "https://" ? ":443" : ":80";
  std::vector<std::string> tails{pieces->path + pieces->query};
  // A path with dot segments would be shortened by that back end too; no route of ours has one.
  if (!pieces->query.empty() && !has_dot_segment(pieces->path)) {
    // Back ends exist that sign an escaped form of the query, e.g. %27 for an apostrophe.
    auto const escaped = escaped_query(pieces->query);
    tails.push_back(pieces->path + escaped);
    if (auto const again = reencoded_query(escaped)) tails.push_back(pieces->path + *again);
  }
  std::vector<SignedUrl> urls;
  auto const lower_host = lower(pieces->host);
  for (auto const& tail : tails) {
    for (auto const& host : {pieces->host, lower_host}) {
      bool const reencoded = &tail != tails.data();
      add(urls, {.url = pieces->scheme + host + tail, .reencoded = reencoded});
      add(urls, {.url = pieces->scheme + host + (pieces->port.empty() ? usual_port : pieces->port) + tail,
                 .reencoded = reencoded});
    }
  }
  return urls;
}

std::vector<SignedUrl> upgrade_urls(std::string_view url) {
  auto const pieces = take_apart(url);
  if (!pieces || (pieces->scheme != "wss://" && pieces->scheme != "ws://")) return {};
  std::string const usual_port = pieces->scheme == "wss://" ? ":443" : ":80";
  auto const port = pieces->port.empty() ? usual_port : pieces->port;
  std::vector<std::string> bases;
  for (auto const& host : {pieces->host, lower(pieces->host)}) {
    bases.push_back(pieces->scheme + host);
    bases.push_back(pieces->scheme + host + port);
  }
  std::vector<SignedUrl> urls;
  if (pieces->query.empty()) {
    for (auto const& base : bases) {
      add(urls, {base + pieces->path});
      // Twilio's own note: when it does not match, try a trailing slash. And a URL without a path asks for "/".
      if (!pieces->path.ends_with('/')) add(urls, {base + pieces->path + '/'});
      if (pieces->path == "/") add(urls, {base});
    }
    return urls;
  }
  for (auto const& base : bases) add(urls, {base + pieces->path + pieces->query});
  // Twilio's ConversationRelay sample signs the query's items as if they were fields of a form.
  auto items = net::decode_form(std::string_view{pieces->query}.substr(1));
  if (items) {
    for (auto const& base : bases) add(urls, {base + pieces->path, *items});
  }
  return urls;
}

}  // namespace gateway::twilio
