#include <fmt/format.h>
#include <toml++/toml.h>

#include "config/layer.h"
#include "config/spelling.h"

namespace config {
namespace {

constexpr std::string_view file_suffix = "_file";

std::vector<Spelling> const& spellings_of_paths() {
  static auto const known = [] {
    std::vector<Spelling> spellings;
    for (auto const& setting : table()) {
      std::string const path = std::string{setting.path} + (is_secret(setting) ? "_file" : "");
      spellings.push_back({path, path});
      spellings.push_back({std::string{setting.name}, path});
    }
    return spellings;
  }();
  return known;
}

bool is_plain_key(std::string_view key) {
  return !key.empty() &&
         key.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == key.npos;
}

class TomlReader {
 public:
  TomlReader(std::string const& file, std::vector<Finding>& findings) : file_{file}, findings_{findings} {}

  void read(toml::table const& table, std::string const& prefix) {
    for (auto const& [key, node] : table) {
      auto const name = is_plain_key(key.str()) ? std::string{key.str()} : cited(key.str());
      read_node(node, prefix + name);
    }
  }

  Layer take() { return std::move(layer_); }

 private:
  void read_node(toml::node const& node, std::string const& path) {
    auto const* const table = node.as_table();
    bool const is_section = table != nullptr && find_by_path(path) == nullptr;
    if (is_section && !table->empty()) return read(*table, path + ".");
    if (auto const* setting = find_by_path(path)) return read_setting(node, path, *setting);
    auto const* const secret =
        path.ends_with(file_suffix) ? find_by_path(path.substr(0, path.size() - file_suffix.size())) : nullptr;
    if (secret != nullptr && is_secret(*secret)) return keep(node, path, *secret, /*names_file=*/true);
    if (is_section && is_known_section(path)) return;  // [media] with nothing in it
    auto const meant = nearest(path, spellings_of_paths());
    findings_.push_back({printable(path), fmt::format("no setting has this name ({})", place_of(node)),
                         meant.empty() ? "remove it, or see switchboard serve --help" : "did you mean " + meant + "?"});
  }

  void read_setting(toml::node const& node, std::string const& path, Setting const& setting) {
    if (!is_secret(setting)) return keep(node, path, setting, /*names_file=*/false);
    findings_.push_back({path, fmt::format("secrets are not read from here ({})", place_of(node)),
                         fmt::format("set {} in the environment, or {}_file here", setting.name, path)});
  }

  void keep(toml::node const& node, std::string const& path, Setting const& setting, bool names_file) {
    std::string text;
    if (auto const* words = node.as_string())
      text = words->get();
    else if (auto const* number = node.as_integer(); number != nullptr && !wants_words(setting))
      text = std::to_string(number->get());
    else if (auto const* answer = node.as_boolean(); answer != nullptr && setting.kind == Kind::yes_or_no)
      text = answer->get() ? "true" : "false";
    else {
      findings_.push_back(
          {path, fmt::format("the value has the wrong type ({})", place_of(node)), "write " + wanted(setting)});
      return;
    }
    add(layer_, setting, {base::Secret{std::move(text)}, path, place_of(node), names_file}, findings_);
  }

  static bool wants_words(Setting const& setting) { return setting.kind != Kind::port && setting.kind != Kind::count; }

  static std::string wanted(Setting const& setting) {
    if (setting.kind == Kind::yes_or_no) return "true or false";
    if (!wants_words(setting)) return "a whole number";
    return setting.kind == Kind::duration ? "a duration in quotes, such as \"8s\"" : "text in quotes";
  }

  static bool is_known_section(std::string const& path) {
    for (auto const& setting : table())
      if (setting.path.starts_with(path + ".")) return true;
    return false;
  }

  std::string place_of(toml::node const& node) const {
    return fmt::format("{} line {}", file_, node.source().begin.line);
  }

  std::string const& file_;
  std::vector<Finding>& findings_;
  Layer layer_;
};

}  // namespace

Layer read_toml(std::string_view text, std::string const& file, std::vector<Finding>& findings) {
  TomlReader reader{file, findings};
  try {
    reader.read(toml::parse(text, file), "");
  } catch (toml::parse_error const& error) {
    // The parser's words are left out: they can repeat what stands there, which may be a misplaced secret.
    findings.push_back({fmt::format("{} line {}", file, error.source().begin.line),
                        fmt::format("is not TOML at column {}", error.source().begin.column),
                        "write key = value, with text in quotes; see switchboard.example.toml"});
  }
  return reader.take();
}

}  // namespace config
