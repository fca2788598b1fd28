#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace net {

/// HTTP header fields in arrival order; names compare without case.
class Headers {
 public:
  using Field = std::pair<std::string, std::string>;

  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  /// First value of `name`; empty when absent.
  std::string_view find(std::string_view name) const;
  bool has(std::string_view name) const;
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  std::vector<Field> fields_;
};

/// False when a name is no header name, or a value holds a control character and could break out of its line.
bool is_sendable(Headers const& headers);

struct Request {
  std::string method;
  std::string target;  ///< As received: path and query, still percent-encoded. Signatures need it byte for byte.
  Headers headers;
  std::string body;
  std::string peer_address;

  std::string_view path() const { return std::string_view{target}.substr(0, target.find('?')); }
  std::string_view query() const {
    auto const mark = target.find('?');
    return mark == std::string::npos ? std::string_view{} : std::string_view{target}.substr(mark + 1);
  }
};

struct Response {
  unsigned status = 200;
  Headers headers;
  std::string body;

  static Response with(unsigned status, std::string_view content_type, std::string body);
  static Response text(unsigned status, std::string body) {
    return with(status, "text/plain; charset=utf-8", std::move(body));
  }
  static Response json(unsigned status, std::string body) { return with(status, "application/json", std::move(body)); }
  static Response empty(unsigned status) { return Response{status, {}, {}}; }
  /// The connection ends without a word, as it does when a server dies; for simulators.
  static Response none() { return empty(0); }
};

/// The error form of every route: {"error","code","details","timestamp"}, and "status":401 with "error":"Unauthorized".
Response error_response(unsigned status, std::string_view code, std::string_view details);

}  // namespace net
