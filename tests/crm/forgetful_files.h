#pragma once
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>

#include "crm/journal/files.h"

namespace test {

using base::Result;

/// Thrown out of the call during which the power goes.
struct PowerLost {};

/// A disk that keeps of what was not synced whatever it likes, and fails when told to. After a failed sync it has
/// forgotten what it did not write, as Linux does: only writing again helps.
class ForgetfulFiles final : public crm::journal::Files {
 public:
  explicit ForgetfulFiles(unsigned seed) : dice_{seed} {}

  /// Called before every call that changes something, with its number; what it returns happens to the call.
  enum class Fate { works, fails, power_goes };
  std::function<Fate(std::size_t call)> fate = [](std::size_t) { return Fate::works; };
  std::size_t calls = 0;
  /// Nothing new and nothing larger finds room; what has been allocated can be written.
  bool full = false;
  std::string unreadable;  ///< A file with a bad sector.

  /// What a restart finds: of everything unsynced a part picked by chance.
  void lose_power() {
    for (auto const& op : unsynced_names_)
      if (chance(2)) apply(op, names_on_disk_);
    unsynced_names_.clear();
    names_ = names_on_disk_;
    for (auto const& [name, node] : names_) {
      for (auto const& op : node->unsynced)
        if (chance(2)) op.apply_part(node->on_disk, chance(2) ? 1.0 : fraction());
      node->unsynced.clear();
      node->seen = node->on_disk;
    }
  }

  /// For tests that spoil what is there.
  std::string& content(std::string const& name) {
    auto& node = *names_.at(name);
    node.unsynced.clear();
    node.on_disk = node.seen;
    return node.seen;
  }
  void add(std::string const& name, std::string content) {
    auto& node = names_[name] = names_on_disk_[name] = std::make_shared<Node>();
    node->seen = node->on_disk = std::move(content);
  }
  std::vector<std::string> names(std::string const& ending) const {
    std::vector<std::string> found;
    for (auto const& [name, node] : names_)
      if (name.ends_with(ending)) found.push_back(name);
    return found;
  }

  Result<std::unique_ptr<crm::journal::File>> open(std::string const& name) override {
    if (!names_.contains(name)) {
      if (full) return no_space();
      auto const made = attempt([&](double) { change({.kind = NameOp::make, .from = name, .to = {}, .node = {}}); });
      if (!made) return std::unexpected{made.error()};
    }
    return std::make_unique<Handle>(*this, names_.at(name));
  }
  Result<std::string> read(std::string const& name, std::uint64_t offset, std::uint64_t most) override {
    auto const found = names_.find(name);
    if (found == names_.end()) return base::fail(base::Fault::not_found, "no such file");
    if (name == unreadable) return base::fail(base::Fault::unavailable, "Input/output error");
    auto const& bytes = found->second->seen;
    return offset >= bytes.size() ? std::string{} : bytes.substr(offset, most);
  }
  Result<std::vector<std::string>> list() override {
    std::vector<std::string> all;
    for (auto const& [name, node] : names_) all.push_back(name);
    return all;
  }
  Result<> rename(std::string const& from, std::string const& to) override {
    if (!names_.contains(from)) return base::fail(base::Fault::not_found, "no such file");
    return attempt([&](double part) {
      if (part == 1.0) change({.kind = NameOp::rename, .from = from, .to = to, .node = names_.at(from)});
    });
  }
  Result<> remove(std::string const& name) override {
    if (!names_.contains(name)) return base::fail(base::Fault::not_found, "no such file");
    return attempt([&](double part) {
      if (part == 1.0) change({.kind = NameOp::remove, .from = name, .to = {}, .node = names_.at(name)});
    });
  }
  Result<> sync_directory() override {
    return attempt([&](double part) {
      if (part < 1.0) return;
      for (auto const& op : unsynced_names_) apply(op, names_on_disk_);
      unsynced_names_.clear();
    });
  }

 private:
  struct Op {
    enum { write, allocate, truncate } kind;
    std::uint64_t offset;
    std::string bytes;

    /// The first part of it.
    void apply_part(std::string& content, double part) const {
      if (kind == truncate) content.resize(offset);
      if (kind == allocate) content.resize(std::max<std::size_t>(content.size(), offset));
      if (kind != write) return;
      auto const length = static_cast<std::size_t>(static_cast<double>(bytes.size()) * part);
      if (content.size() < offset + length) content.resize(offset + length);
      content.replace(offset, length, bytes, 0, length);
    }
  };
  struct Node {
    std::string seen;
    std::string on_disk;
    std::vector<Op> unsynced;
  };
  using Names = std::map<std::string, std::shared_ptr<Node>>;
  struct NameOp {
    enum { make, rename, remove } kind;
    std::string from, to;
    std::shared_ptr<Node> node;
  };

  class Handle final : public crm::journal::File {
   public:
    Handle(ForgetfulFiles& disk, std::shared_ptr<Node> node) : disk_{disk}, node_{std::move(node)} {}
    Result<> write_at(std::uint64_t offset, std::string_view bytes) override {
      return change({Op::write, offset, std::string{bytes}});
    }
    Result<> allocate(std::uint64_t bytes) override { return change({Op::allocate, bytes, {}}); }
    Result<> truncate(std::uint64_t bytes) override { return change({Op::truncate, bytes, {}}); }
    Result<> sync() override {
      auto& node = *node_;
      return disk_.attempt([&](double part) {
        for (auto const& op : node.unsynced)
          if (part == 1.0 || disk_.chance(2)) op.apply_part(node.on_disk, 1.0);
        node.unsynced.clear();
      });
    }

   private:
    Result<> change(Op op) {
      auto const end = op.offset + op.bytes.size();
      if (disk_.full && op.kind != Op::truncate && end > node_->seen.size()) return no_space();
      return disk_.attempt([&](double part) {
        if (part < 1.0 && op.kind != Op::write) return;
        op.bytes.resize(static_cast<std::size_t>(static_cast<double>(op.bytes.size()) * part));
        op.apply_part(node_->seen, 1.0);
        node_->unsynced.push_back(std::move(op));
      });
    }
    ForgetfulFiles& disk_;
    std::shared_ptr<Node> node_;
  };

  /// `act` is given how much of it happens.
  template <class Act>
  Result<> attempt(Act act) {
    auto const now = fate(++calls);
    if (now == Fate::works) {
      act(1.0);
      return {};
    }
    act(fraction() * 0.99);
    if (now == Fate::power_goes) throw PowerLost{};
    return no_space();
  }
  static std::unexpected<base::Error> no_space() {
    return base::fail(base::Fault::unavailable, "No space left on device");
  }

  void change(NameOp op) {
    if (op.kind == NameOp::make) op.node = std::make_shared<Node>();
    apply(op, names_);
    unsynced_names_.push_back(std::move(op));
  }
  static void apply(NameOp const& op, Names& names) {
    if (op.kind == NameOp::rename) names.erase(op.from);
    if (op.kind == NameOp::remove)
      names.erase(op.from);
    else
      names[op.kind == NameOp::make ? op.from : op.to] = op.node;
  }

  bool chance(int one_in) { return std::uniform_int_distribution<>{1, one_in}(dice_) == 1; }
  double fraction() { return std::uniform_real_distribution<>{0.0, 1.0}(dice_); }

  std::mt19937 dice_;
  Names names_;
  Names names_on_disk_;
  std::vector<NameOp> unsynced_names_;
};

}  // namespace test
