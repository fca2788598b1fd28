#include "gateway/net/form.h"

#include <algorithm>
#include <optional>

namespace net {
namespace {

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

std::optional<std::string> decode_piece(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      if (text.size() - i < 3) return std::nullopt;
      auto const high = hex_digit(text[i + 1]);
      auto const low = hex_digit(text[i + 2]);
      if (!high || !low) return std::nullopt;
      out += static_cast<char>(*high * 16 + *low);
      i += 2;
    }
  }
  return out;
}

void append_escaped(std::string& out, char c) {
  static constexpr char digits[] = "0123456789ABCDEF";
  auto const byte = static_cast<unsigned char>(c);
  out += '%';
  out += digits[byte >> 4];
  out += digits[byte & 15];
}

void append_form_piece(std::string& out, std::string_view text) {
  for (char const c : text) {
    if (c == ' ') {
      out += '+';
    } else if (is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '*') {
      out += c;
    } else {
      append_escaped(out, c);
    }
  }
}

}  // namespace

base::Result<Form> decode_form(std::string_view body, FormLimits const& limits) {
  if (body.size() > limits.max_bytes) return base::fail(base::Fault::too_large, "form has too many bytes");
  Form form;
  while (!body.empty()) {
    auto const field = body.substr(0, body.find('&'));
    body.remove_prefix(std::min(field.size() + 1, body.size()));
    if (field.empty()) continue;
    if (form.size() == limits.max_fields) return base::fail(base::Fault::too_large, "form has too many fields");
    auto const equals = field.find('=');
    auto name = decode_piece(field.substr(0, equals));
    auto value = decode_piece(equals == field.npos ? std::string_view{} : field.substr(equals + 1));
    if (!name || !value) return base::fail(base::Fault::protocol, "form has a broken percent escape");
    form.emplace_back(std::move(*name), std::move(*value));
  }
  return form;
}

std::string encode_form(Form const& form) {
  std::string out;
  for (auto const& [name, value] : form) {
    if (!out.empty()) out += '&';
    append_form_piece(out, name);
    out += '=';
    append_form_piece(out, value);
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char const c : text) {
    if (is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      append_escaped(out, c);
    }
  }
  return out;
}

std::string_view find(Form const& form, std::string_view name) {
  for (auto const& [key, value] : form) {
    if (key == name) return value;
  }
  return {};
}

}  // namespace net
