#include "loadtest/sim/twilio/document.h"

#include <algorithm>
#include <charconv>
#include <pugixml.hpp>
#include <set>

#include "loadtest/sim/twilio/xml_rules.h"

namespace sim::twilio {
namespace {

constexpr std::size_t document_limit_bytes = 64 * 1024;

std::string trimmed(std::string_view text) {
  auto const first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return std::string{text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1)};
}

std::string text_of(pugi::xml_node node) {
  std::string text;
  for (auto const child : node.children()) text += child.type() == pugi::node_element ? text_of(child) : child.value();
  return text;
}

/// Reads one document, collecting warnings on the way.
class Reader {
 public:
  std::expected<Document, Violation> read(pugi::xml_node root) {
    if (auto repeated = repeated_attribute(root)) return std::unexpected{*repeated};
    lint(root);
    for (auto const node : root.children()) {
      if (node.type() != pugi::node_element || !knows_child("Response", node.name())) continue;
      if (auto verb = read_verb(node)) document_.verbs.push_back(std::move(*verb));
    }
    return std::move(document_);
  }

 private:
  void warn(std::string what) { document_.warnings.push_back({12200, std::move(what)}); }

  static std::optional<Violation> repeated_attribute(pugi::xml_node node) {
    std::set<std::string_view> seen;
    for (auto const attribute : node.attributes())
      if (!seen.insert(attribute.name()).second) return Violation{12100, "an attribute is given twice"};
    for (auto const child : node.children())
      if (auto found = repeated_attribute(child)) return found;
    return std::nullopt;
  }

  void lint(pugi::xml_node node) {
    std::string const name = node.name();
    for (auto const attribute : node.attributes())
      if (!knows_attribute(name, attribute.name())) warn("unknown attribute " + name + "." + attribute.name());
    for (auto const child : node.children()) {
      if (child.type() == pugi::node_element) {
        if (knows_child(name, child.name()))
          lint(child);
        else
          warn("unknown element " + name + "/" + child.name());
      } else if ((name == "Response" || name == "Connect" || name == "Stream" || name == "Gather") &&
                 !trimmed(child.value()).empty() && child.type() != pugi::node_comment) {
        warn("text is not allowed in " + name);
      }
    }
  }

  unsigned number(pugi::xml_node node, char const* attribute, unsigned otherwise) {
    std::string_view const text = node.attribute(attribute).value();
    if (text.empty()) return otherwise;
    unsigned value = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc{} && end == text.data() + text.size()) return value;
    warn(std::string{node.name()} + "." + attribute + " is not a number");
    return otherwise;
  }

  bool flag(pugi::xml_node node, char const* attribute) {
    std::string_view const text = node.attribute(attribute).value();
    if (!text.empty() && text != "true" && text != "false")
      warn(std::string{node.name()} + "." + attribute + " is neither true nor false");
    return text == "true";
  }

  std::string method(pugi::xml_node node, char const* attribute = "method") {
    std::string const text = node.attribute(attribute).as_string("POST");
    if (text == "GET" || text == "POST") return text;
    warn(std::string{node.name()} + "." + attribute + " is neither GET nor POST");
    return "POST";
  }

  static std::optional<std::string> optional_text(pugi::xml_node node, char const* attribute) {
    auto const found = node.attribute(attribute);
    if (!found) return std::nullopt;
    return std::string{found.value()};
  }

  std::optional<Verb> read_verb(pugi::xml_node node) {
    std::string_view const name = node.name();
    if (name == "Say") return read_say(node);
    if (name == "Play") return read_play(node);
    if (name == "Pause") return read_pause(node);
    if (name == "Connect") return read_connect(node);
    if (name == "Dial") return read_dial(node);
    if (name == "Record") return read_record(node);
    if (name == "Gather") return read_gather(node);
    if (name == "Redirect") return Redirect{trimmed(text_of(node)), method(node)};
    if (name == "Hangup") return Hangup{};
    if (name == "Reject") return Reject{node.attribute("reason").as_string("rejected")};
    return NotSimulated{std::string{name}};
  }

  Say read_say(pugi::xml_node node) { return {trimmed(text_of(node)), number(node, "loop", 1)}; }
  Play read_play(pugi::xml_node node) {
    return {trimmed(text_of(node)), number(node, "loop", 1), node.attribute("digits").value()};
  }
  Pause read_pause(pugi::xml_node node) { return {std::chrono::seconds{number(node, "length", 1)}}; }

  Verb read_connect(pugi::xml_node node) {
    auto const inner = node.child("Stream");
    if (!inner) return NotSimulated{"Connect without Stream"};
    Connect connect{node.attribute("action").value(), method(node), {}};
    auto& stream = connect.stream;
    stream.url = inner.attribute("url").value();
    stream.name = inner.attribute("name").value();
    stream.track = inner.attribute("track").as_string("inbound_track");
    stream.status_callback = inner.attribute("statusCallback").value();
    stream.status_callback_method = method(inner, "statusCallbackMethod");
    for (auto const parameter : inner.children("Parameter"))
      stream.parameters.emplace_back(parameter.attribute("name").value(), parameter.attribute("value").value());
    return connect;
  }

  Callee read_callee(pugi::xml_node node) {
    Callee callee{node.name(),
                  trimmed(text_of(node)),
                  node.attribute("statusCallback").value(),
                  method(node, "statusCallbackMethod"),
                  {}};
    std::string_view events = node.attribute("statusCallbackEvent").as_string("completed");
    while (!events.empty()) {
      auto const space = std::min(events.find(' '), events.size());
      if (space > 0) callee.events.emplace_back(events.substr(0, space));
      events.remove_prefix(std::min(space + 1, events.size()));
    }
    return callee;
  }

  Dial read_dial(pugi::xml_node node) {
    Dial dial{node.attribute("action").value(),
              method(node),
              std::chrono::seconds{number(node, "timeout", 30)},
              std::chrono::seconds{number(node, "timeLimit", 14400)},
              flag(node, "answerOnBridge"),
              {}};
    for (auto const child : node.children())
      if (child.type() == pugi::node_element) dial.callees.push_back(read_callee(child));
    auto const plain = trimmed(node.child_value());
    if (dial.callees.empty() && !plain.empty()) dial.callees.push_back({"Number", plain, "", "POST", {}});
    return dial;
  }

  Record read_record(pugi::xml_node node) {
    Record record;
    record.action = optional_text(node, "action");
    record.method = method(node);
    record.timeout = std::chrono::seconds{number(node, "timeout", 5)};
    record.max_length = std::chrono::seconds{number(node, "maxLength", 3600)};
    record.finish_on_key = node.attribute("finishOnKey").as_string("1234567890*#");
    record.recording_status_callback = node.attribute("recordingStatusCallback").value();
    record.recording_status_callback_method = method(node, "recordingStatusCallbackMethod");
    return record;
  }

  Gather read_gather(pugi::xml_node node) {
    Gather gather;
    gather.action = optional_text(node, "action");
    gather.method = method(node);
    gather.num_digits = number(node, "numDigits", 0);
    gather.timeout = std::chrono::seconds{number(node, "timeout", 5)};
    gather.finish_on_key = node.attribute("finishOnKey").as_string("#");
    gather.action_on_empty_result = flag(node, "actionOnEmptyResult");
    for (auto const child : node.children()) {
      std::string_view const name = child.name();
      if (name == "Say") gather.prompts.emplace_back(read_say(child));
      if (name == "Play") gather.prompts.emplace_back(read_play(child));
      if (name == "Pause") gather.prompts.emplace_back(read_pause(child));
    }
    return gather;
  }

  Document document_;
};

}  // namespace

std::expected<Document, Violation> parse_document(std::string_view body) {
  if (body.empty()) return std::unexpected{Violation{11770, "the answer has no body"}};
  if (body.size() > document_limit_bytes) return std::unexpected{Violation{11750, "the document is larger than 64 kB"}};
  if (auto broken = broken_xml_rule(body)) return std::unexpected{*broken};
  pugi::xml_document xml;
  auto const parsed =
      xml.load_buffer(body.data(), body.size(), pugi::parse_default | pugi::parse_declaration, pugi::encoding_utf8);
  if (!parsed) return std::unexpected{Violation{12100, std::string{"not XML: "} + parsed.description()}};
  auto const root = xml.document_element();
  auto const elements = std::count_if(xml.begin(), xml.end(), [](auto n) { return n.type() == pugi::node_element; });
  if (elements != 1) return std::unexpected{Violation{12100, "there must be exactly one root element"}};
  if (std::string_view{root.name()} != "Response")
    return std::unexpected{Violation{12100, "the root element must be Response"}};
  return Reader{}.read(root);
}

Body body_kind(std::string_view content_type) {
  std::string type = trimmed(content_type.substr(0, content_type.find(';')));
  std::transform(type.begin(), type.end(), type.begin(), [](unsigned char c) { return std::tolower(c); });
  if (type == "text/xml" || type == "application/xml" || type == "text/html") return Body::twiml;
  if (type == "text/plain") return Body::text;
  if (type.starts_with("audio/")) return Body::audio;
  return Body::unacceptable;
}

}  // namespace sim::twilio
