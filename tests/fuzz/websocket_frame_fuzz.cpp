#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "gateway/net/websocket_frame.h"

namespace {

using namespace net::websocket;

/// All that a reader reports, and how it ended.
struct Notes final : MessageSink {
  std::string all;
  bool closed = false;
  bool on_message(Opcode opcode, std::string_view message) override {
    if (opcode == Opcode::text && !net::is_utf8(message)) std::abort();
    return note(opcode == Opcode::text ? 't' : 'b', message);
  }
  bool on_ping(std::string_view payload) override { return note('p', payload); }
  bool on_pong(std::string_view payload) override { return note('q', payload); }
  bool on_close(std::uint16_t code, std::string_view reason) override {
    if (!net::is_utf8(reason)) std::abort();
    return note('c', std::to_string(code) + std::string{reason});
  }
  bool note(char kind, std::string_view what) {
    all.append(1, kind).append(std::to_string(what.size())).append(what);
    closed = kind == 'c';
    return !closed;
  }
};

std::string read(std::string bytes, Role role, std::size_t most, std::size_t piece) {
  MessageReader reader{role, most};
  Notes notes;
  for (std::span<char> rest{bytes}; !rest.empty();) {
    auto const next = rest.first(std::min(piece, rest.size()));
    auto const violation = reader.take(next, notes);
    if (violation) return notes.all + "!" + std::to_string(violation->code);
    if (notes.closed) return notes.all;
    rest = rest.subspan(next.size());
  }
  return notes.all;
}

}  // namespace

/// However a stream of bytes is cut, a reader hears the same; what it writes, it reads.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size < 2) return 0;
  auto const role = (data[0] & 1) != 0 ? Role::server : Role::client;
  std::size_t const most = (data[0] & 2) != 0 ? 64 : 4096;
  std::size_t const piece = 1 + data[1] % 32;
  std::string const bytes{reinterpret_cast<char const*>(data + 2), size - 2};
  if (read(bytes, role, most, bytes.size() + 1) != read(bytes, role, most, piece)) std::abort();
  std::string frame;
  append_frame(frame, Opcode::binary, bytes,
               role == Role::server ? std::optional<MaskKey>{{1, 2, 3, 4}} : std::nullopt);
  if (read(frame, role, bytes.size() + 1, piece) != "b" + std::to_string(bytes.size()) + bytes) std::abort();
  return 0;
}
