// Whatever text reaches a verb, the document keeps its shape and an XML reader gets the text back. A zero byte
// separates the texts.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <pugixml.hpp>

#include "twiml/answers.h"

namespace {

std::string in_attribute(std::string_view text) {
  auto clean = twiml::printable(text);
  std::ranges::replace(clean, '\t', ' ');
  return clean;
}

void expect(bool claim) {
  if (!claim) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const bytes{reinterpret_cast<char const*>(data), size};
  auto const split = std::min(bytes.find('\0'), size);
  std::string const first{bytes.substr(0, split)}, second{bytes.substr(std::min(split + 1, size))};

  twiml::Document document;
  std::string shape;
  if (document.add(twiml::Say{.text = first, .voice = second})) shape += "Say ";
  if (document.add(twiml::ConnectStream{.url = "wss://h.example/m", .parameters = {{first, second}}}))
    shape += "Connect ";
  if (document.add(twiml::Dial{.number = first, .action = second})) shape += "Dial ";
  auto const xml = document.xml();
  expect(xml.size() <= twiml::max_document_bytes);

  pugi::xml_document parsed;
  expect(parsed.load_buffer(xml.data(), xml.size(), pugi::parse_default | pugi::parse_ws_pcdata));
  auto const response = parsed.child("Response");
  std::string found;
  for (auto const& node : response) found += std::string{node.name()} + " ";
  expect(found == shape);
  if (auto const say = response.child("Say")) expect(say.text().get() == twiml::printable(first));
  if (auto const dial = response.child("Dial")) {
    expect(dial.child("Number").text().get() == twiml::printable(first));
    expect(dial.attribute("action").value() == in_attribute(second));
  }
  if (auto const connect = response.child("Connect")) {
    auto const parameter = connect.child("Stream").child("Parameter");
    expect(parameter.attribute("name").value() == in_attribute(first));
    expect(parameter.attribute("value").value() == in_attribute(second));
  }
  expect(twiml::sorry_and_hang_up(bytes).xml().size() <= twiml::max_document_bytes);
  return 0;
}
