// A stranger's request: no header may be accepted that was not made with the token, and one that was must be. The first
// byte splits the rest into header, target and body.
#include <algorithm>
#include <cstdlib>

#include "gateway/twilio/signature.h"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  static gateway::twilio::SignatureVerifier const verifier{net::parse_url("https://gw.example.com").value()};
  static std::vector<base::Secret> const tokens{base::Secret{"a token that the fuzzer does not know"}};
  if (size < 2) return 0;
  std::string_view rest{reinterpret_cast<char const*>(data + 2), size - 2};
  auto const header = rest.substr(0, std::min<std::size_t>(data[0], rest.size()));
  rest.remove_prefix(header.size());
  auto const target = rest.substr(0, std::min<std::size_t>(data[1], rest.size()));
  rest.remove_prefix(target.size());

  if (verifier.verify_websocket(tokens, target, header) || verifier.verify_json(tokens, target, rest, header))
    std::abort();
  auto const form = net::decode_form(rest);
  if (!form) return 0;
  if (verifier.verify_form(tokens, target, *form, header)) std::abort();
  if (!target.starts_with('/') || target.contains('#')) return 0;
  auto const signature = gateway::twilio::sign(tokens[0], "https://gw.example.com" + std::string{target}, *form);
  if (!verifier.verify_form(tokens, target, *form, signature)) std::abort();
  return 0;
}
