#include "gateway/net/send_queue.h"

#include <algorithm>

namespace net::websocket {
namespace {

// A peer that reads slowly but reads must not make the written part grow for ever.
constexpr std::size_t written_kept = 64 * 1024;

bool is_control(Opcode opcode) {
  return (static_cast<unsigned>(opcode) & 0x08U) != 0;
}

}  // namespace

void SendQueue::push(Opcode opcode, std::string_view payload, std::optional<MaskKey> key) {
  if (bytes_.empty()) bytes_ = loop_.take_write_buffer();
  append_frame(bytes_, opcode, payload, key);
  auto const counted = is_control(opcode) ? 0 : payload.size();
  messages_.push_back({bytes_.size(), counted});
  payload_ += counted;
}

void SendQueue::push_first(Opcode opcode, std::string_view payload, std::optional<MaskKey> key) {
  auto const place = begun();
  if (place == messages_.size()) {
    push(opcode, payload, key);
    return;
  }
  auto const at = place == 0 ? front_ : messages_[place - 1].end;
  std::string frame;
  append_frame(frame, opcode, payload, key);
  bytes_.insert(at, frame);
  for (auto i = place; i < messages_.size(); ++i) messages_[i].end += frame.size();
  auto const counted = is_control(opcode) ? 0 : payload.size();
  messages_.insert(messages_.begin() + static_cast<std::ptrdiff_t>(place), {at + frame.size(), counted});
  payload_ += counted;
}

std::size_t SendQueue::begun() const {
  auto const reached = std::max(written_, pinned_);
  auto start = front_;
  std::size_t count = 0;
  for (; count < messages_.size() && start < reached; ++count) start = messages_[count].end;
  return count;
}

void SendQueue::drop() {
  auto const kept = begun();
  if (kept == messages_.size()) return;
  for (auto i = kept; i < messages_.size(); ++i) payload_ -= messages_[i].payload;
  bytes_.resize(kept == 0 ? front_ : messages_[kept - 1].end);
  messages_.resize(kept);
  if (written_ == bytes_.size()) clear();
}

void SendQueue::wrote(std::size_t bytes) {
  written_ += bytes;
  if (written_ == bytes_.size()) {
    clear();
    return;
  }
  auto const whole = std::ranges::find_if(messages_, [this](Message const& m) { return m.end > written_; });
  for (auto it = messages_.begin(); it != whole; ++it) {
    payload_ -= it->payload;
    front_ = it->end;
  }
  messages_.erase(messages_.begin(), whole);
  if (front_ < written_kept) return;
  bytes_.erase(0, front_);
  for (auto& message : messages_) message.end -= front_;
  written_ -= front_;
  pinned_ -= std::min(pinned_, front_);
  front_ = 0;
}

void SendQueue::clear() {
  loop_.give_back(std::move(bytes_));
  bytes_ = {};
  messages_.clear();
  front_ = 0;
  written_ = 0;
  pinned_ = 0;
  payload_ = 0;
}

}  // namespace net::websocket
