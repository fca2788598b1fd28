#include "loadtest/load/web_socket.h"

#include <openssl/sha.h>

#include <array>
#include <charconv>
#include <cstring>

#include "gateway/base/base64.h"
#include "gateway/base/ids.h"

namespace sim::load {
namespace {

using net::websocket::Opcode;

constexpr std::size_t longest_head = 16 * 1024;

}  // namespace

std::string accept_for(std::string_view key) {
  std::string const text = std::string{key} + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<std::uint8_t, SHA_DIGEST_LENGTH> digest;
  SHA1(reinterpret_cast<unsigned char const*>(text.data()), text.size(), digest.data());
  std::string accept;
  base::append_base64(accept, digest);
  return accept;
}

void ClientSocket::open(Place const& place, std::string_view target, std::string_view fields) {
  std::array<std::uint8_t, 24> random;
  base::fill_random(random);
  std::memcpy(&dice_, random.data() + 16, sizeof dice_);
  dice_ |= 1;
  std::string key;
  base::append_base64(key, std::span{random}.first(16));
  accept_ = accept_for(key);
  request_ = "GET ";
  request_.append(target).append(" HTTP/1.1\r\nHost: ").append(place.url.authority());
  request_.append("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ");
  request_.append(key).append("\r\n").append(fields).append("\r\n");
  head_.clear();
  is_upgraded_ = is_closing_ = false;
  reader_ = {net::websocket::Role::client, 1 << 20};
  if (!connection_.connect(place.address, place.tls, place.url.host)) end(1006, "no connection could be opened");
}

net::websocket::MaskKey ClientSocket::new_key() {
  dice_ ^= dice_ << 13;
  dice_ ^= dice_ >> 7;
  dice_ ^= dice_ << 17;
  net::websocket::MaskKey key;
  std::memcpy(key.data(), &dice_, key.size());
  return key;
}

void ClientSocket::send_prepared(std::span<char> room_and_payload) {
  auto const payload = room_and_payload.subspan(header_room);
  auto const key = new_key();
  auto* const header = room_and_payload.data();
  // Twilio's messages are between 126 and 65,535 bytes long wherever speed matters.
  header[0] = static_cast<char>(0x81);
  header[1] = static_cast<char>(0x80 | 126);
  header[2] = static_cast<char>(payload.size() >> 8);
  header[3] = static_cast<char>(payload.size() & 0xFF);
  std::memcpy(header + 4, key.data(), key.size());
  net::websocket::apply_mask(payload, key);
  connection_.send({room_and_payload.data(), room_and_payload.size()});
}

void ClientSocket::send_text(std::string_view message) {
  scratch_.clear();
  net::websocket::append_frame(scratch_, Opcode::text, message, new_key());
  connection_.send(scratch_);
}

void ClientSocket::close(std::uint16_t code) {
  if (!is_open()) return drop();
  is_closing_ = true;
  scratch_.clear();
  net::websocket::append_frame(scratch_, Opcode::close, net::websocket::close_payload(code, {}), new_key());
  connection_.send(scratch_);
}

void ClientSocket::drop() {
  connection_.close();
  is_upgraded_ = false;
}

void ClientSocket::end(unsigned code, std::string_view why) {
  std::string const reason{why};
  drop();
  events_.on_closed(code, reason);
}

void ClientSocket::on_connected(Connection& connection) {
  connection.send(request_);
}

void ClientSocket::on_gone(Connection&, std::string_view why) {
  end(1006, why.empty() ? "the connection ended" : why);
}

/// False while the answer to the upgrade is not there, or when it was a refusal.
bool ClientSocket::read_answer(std::span<char>& bytes) {
  auto const before = head_.size();
  head_.append(bytes.data(), bytes.size());
  auto const end_of_head = head_.find("\r\n\r\n");
  if (end_of_head == head_.npos) {
    if (head_.size() > longest_head) end(1006, "the answer to the upgrade has no end");
    return false;
  }
  bytes = bytes.subspan(end_of_head + 4 - before);
  unsigned status = 0;
  std::from_chars(head_.data() + std::min<std::size_t>(9, head_.size()), head_.data() + head_.size(), status);
  if (status != 101) {
    end(status, "the upgrade was refused");
    return false;
  }
  if (head_.find(accept_) == head_.npos) {
    end(1002, "the upgrade was answered with a wrong key");
    return false;
  }
  is_upgraded_ = true;
  head_ = {};
  events_.on_upgraded();
  return is_upgraded_;
}

void ClientSocket::on_bytes(Connection&, std::span<char> bytes) {
  if (!is_upgraded_ && !read_answer(bytes)) return;
  if (bytes.empty()) return;
  if (auto const violation = reader_.take(bytes, *this)) end(violation->code, violation->what);
}

bool ClientSocket::on_message(Opcode opcode, std::string_view message) {
  if (opcode == Opcode::text) events_.on_text(message);
  return is_upgraded_;
}

bool ClientSocket::on_ping(std::string_view payload) {
  scratch_.clear();
  net::websocket::append_frame(scratch_, Opcode::pong, payload, new_key());
  connection_.send(scratch_);
  return true;
}

bool ClientSocket::on_close(std::uint16_t code, std::string_view reason) {
  if (!is_closing_) {
    is_closing_ = true;
    scratch_.clear();
    net::websocket::append_frame(scratch_, Opcode::close, net::websocket::close_payload(code == 1005 ? 1000 : code, {}),
                                 new_key());
    connection_.send(scratch_);
  }
  end(code, reason);
  return false;
}

}  // namespace sim::load
