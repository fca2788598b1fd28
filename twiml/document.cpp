#include "twiml/document.h"

#include <algorithm>
#include <cstdint>
#include <pugixml.hpp>
#include <span>

namespace twiml {
namespace {

constexpr std::string_view envelope = R"(<?xml version="1.0" encoding="UTF-8"?><Response></Response>)";

struct CodePoint {
  char32_t value;
  std::size_t bytes;  ///< 0: not UTF-8.
};

/// Strict UTF-8 (RFC 3629): no surrogates, no overlong forms, nothing above U+10FFFF.
CodePoint read_code_point(std::string_view text) {
  auto const byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  auto const lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  std::size_t const length = lead >= 0xF0 && lead <= 0xF4   ? 4
                             : lead >= 0xE0 && lead <= 0xEF ? 3
                             : lead >= 0xC2 && lead <= 0xDF ? 2
                                                            : 0;
  if (length == 0 || text.size() < length) return {0, 0};
  char32_t value = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {0, 0};
    value = value << 6 | (byte(i) & 0x3F);
  }
  bool const overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  bool const surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (overlong || surrogate || value > 0x10FFFF) return {0, 0};
  return {value, length};
}

/// XML 1.0, production Char.
bool is_xml_character(char32_t c) {
  return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c != 0xFFFE && c != 0xFFFF);
}

std::string attribute_text(std::string_view text) {
  auto clean = printable(text);
  std::ranges::replace(clean, '\t', ' ');
  return clean;
}

void set(pugi::xml_node node, char const* name, std::string_view text) {
  if (!text.empty()) node.append_attribute(name) = attribute_text(text).c_str();
}

void set(pugi::xml_node node, char const* name, std::chrono::seconds length) {
  if (length.count() > 0) node.append_attribute(name) = static_cast<long long>(length.count());
}

void set_text(pugi::xml_node node, std::string_view text) {
  node.append_child(pugi::node_pcdata).set_value(printable(text).c_str());
}

struct Writer {
  pugi::xml_node response;

  void operator()(Pause const& pause) { set(response.append_child("Pause"), "length", pause.length); }

  void operator()(Say const& say) {
    auto node = response.append_child("Say");
    set(node, "voice", say.voice);
    set(node, "language", say.language);
    set_text(node, say.text);
  }

  void operator()(Play const& play) {
    auto node = response.append_child("Play");
    set(node, "digits", play.digits);
    if (!play.url.empty()) set_text(node, play.url);
  }

  void operator()(ConnectStream const& connect) {
    auto node = response.append_child("Connect");
    set(node, "action", connect.action);
    auto stream = node.append_child("Stream");
    set(stream, "url", connect.url);
    set(stream, "name", connect.name);
    set(stream, "statusCallback", connect.status_callback);
    for (auto const& [name, value] : connect.parameters) {
      auto parameter = stream.append_child("Parameter");
      parameter.append_attribute("name") = attribute_text(name).c_str();
      parameter.append_attribute("value") = attribute_text(value).c_str();
    }
  }

  void operator()(Redirect const& redirect) { set_text(response.append_child("Redirect"), redirect.url); }

  void operator()(Hangup const&) { response.append_child("Hangup"); }

  void operator()(Reject const& reject) {
    set(response.append_child("Reject"), "reason", reject.reason == Reject::Reason::busy ? "busy" : "rejected");
  }

  void operator()(Dial const& dial) {
    auto node = response.append_child("Dial");
    if (dial.answer_on_bridge) set(node, "answerOnBridge", "true");
    set(node, "callerId", dial.caller_id);
    set(node, "timeout", dial.timeout);
    set(node, "timeLimit", dial.time_limit);
    set(node, "action", dial.action);
    set_text(node.append_child("Number"), dial.number);
  }

  void operator()(Record const& record) {
    auto node = response.append_child("Record");
    set(node, "action", record.action);
    set(node, "maxLength", record.max_length);
    set(node, "timeout", record.timeout);
    set(node, "playBeep", record.play_beep ? "true" : "false");
    set(node, "finishOnKey", record.finish_on_key);
    if (record.trim_silence) set(node, "trim", "trim-silence");
    set(node, "recordingStatusCallback", record.status_callback);
  }
};

struct StringOutput final : pugi::xml_writer {
  std::string text;
  void write(void const* data, std::size_t size) override { text.append(static_cast<char const*>(data), size); }
};

std::string written(std::span<Verb const> verbs) {
  pugi::xml_document document;
  auto declaration = document.append_child(pugi::node_declaration);
  declaration.append_attribute("version") = "1.0";
  declaration.append_attribute("encoding") = "UTF-8";
  auto response = document.append_child("Response");
  Writer writer{response};
  for (auto const& verb : verbs) std::visit(writer, verb);
  if (verbs.empty()) set_text(response, "");
  StringOutput output;
  document.save(output, "", pugi::format_raw, pugi::encoding_utf8);
  return std::move(output.text);
}

/// Twilio counts characters; bytes would refuse a long name in Cyrillic for no reason.
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

struct Check {
  static base::Result<> unless(bool wrong, char const* detail) {
    if (wrong) return base::fail(base::Fault::protocol, detail);
    return {};
  }

  base::Result<> operator()(auto const&) const { return {}; }
  base::Result<> operator()(Redirect const& verb) const { return unless(verb.url.empty(), "Redirect without a URL"); }
  base::Result<> operator()(Dial const& verb) const { return unless(verb.number.empty(), "Dial without a number"); }
  base::Result<> operator()(Record const& verb) const {
    return unless(verb.action.empty(), "Record without an action");
  }
  base::Result<> operator()(Play const& verb) const {
    return unless(verb.url.empty() == verb.digits.empty(), "Play takes a URL or digits");
  }
  base::Result<> operator()(ConnectStream const& verb) const {
    bool const is_socket = verb.url.starts_with("wss://") || verb.url.starts_with("ws://");
    if (!is_socket) return base::fail(base::Fault::protocol, "Stream URL is not wss");
    if (verb.url.contains('?')) return base::fail(base::Fault::protocol, "Stream URL has a query, which Twilio drops");
    for (auto const& [name, value] : verb.parameters) {
      if (name.empty()) return base::fail(base::Fault::protocol, "stream parameter without a name");
      if (characters(printable(name)) + characters(printable(value)) >= 500) {
        return base::fail(base::Fault::too_large, "stream parameter has 500 characters or more");
      }
    }
    return {};
  }
};

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    auto const [value, bytes] = read_code_point(text);
    if (bytes == 0) {
      out += "\xEF\xBF\xBD";
    } else if (value == '\r') {
      out += ' ';
    } else if (is_xml_character(value)) {
      out += text.substr(0, bytes);
    }
    text.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return out;
}

base::Result<> Document::add(Verb verb) {
  if (auto allowed = std::visit(Check{}, verb); !allowed) return allowed;
  auto const added = written({&verb, 1}).size() - envelope.size();
  if (envelope.size() + bytes_ + added > max_document_bytes) {
    return base::fail(base::Fault::too_large, "TwiML document is over 64 kB");
  }
  bytes_ += added;
  verbs_.push_back(std::move(verb));
  return {};
}

std::string Document::xml() const {
  return written(verbs_);
}

}  // namespace twiml
