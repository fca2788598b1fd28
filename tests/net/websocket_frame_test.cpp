#include "gateway/net/websocket_frame.h"

#include <gmock/gmock.h>

#include <random>
#include <set>

namespace {

using net::websocket::append_frame;
using net::websocket::MaskKey;
using net::websocket::MessageReader;
using net::websocket::Opcode;
using net::websocket::Role;

constexpr MaskKey key{0x12, 0x34, 0x56, 0x78};

/// Writes down what a reader finds; gives up after `patience` reports.
struct Notes final : net::websocket::MessageSink {
  std::vector<std::string> all;
  std::size_t patience = 1000;

  bool note(std::string what) {
    all.push_back(std::move(what));
    return all.size() < patience;
  }
  bool on_message(Opcode opcode, std::string_view message) override {
    return note((opcode == Opcode::text ? "text " : "binary ") + std::string{message});
  }
  bool on_ping(std::string_view payload) override { return note("ping " + std::string{payload}); }
  bool on_pong(std::string_view payload) override { return note("pong " + std::string{payload}); }
  bool on_close(std::uint16_t code, std::string_view reason) override {
    return note("close " + std::to_string(code) + " " + std::string{reason});
  }
};

std::string frame(Opcode opcode, std::string_view payload, bool is_final = true) {
  std::string bytes;
  append_frame(bytes, opcode, payload, key);
  if (!is_final) bytes[0] = static_cast<char>(bytes[0] & 0x7F);
  return bytes;
}

/// A conversation with everything in it.
std::string conversation() {
  return frame(Opcode::text, "hello") + frame(Opcode::text, "frag", false) + frame(Opcode::ping, "p") +
         frame(Opcode::continuation, "ment") + frame(Opcode::binary, std::string(300, 'b')) +
         frame(Opcode::text, std::string(70000, 't')) + frame(Opcode::pong, "") + frame(Opcode::text, "") +
         frame(Opcode::close, net::websocket::close_payload(1001, "bye"));
}
std::vector<std::string> const its_notes{
    "text hello", "ping p", "text fragment", "binary " + std::string(300, 'b'), "text " + std::string(70000, 't'),
    "pong ",      "text ",  "close 1001 bye"};

TEST(WebSocketFrame, reads_the_same_however_the_bytes_are_cut) {
  std::mt19937 dice{7};
  for (int round = 0; round < 300; ++round) {
    auto bytes = conversation();
    MessageReader reader{Role::server, 100000};
    Notes notes;
    for (std::span<char> rest{bytes}; !rest.empty();) {
      auto const most = round == 0 ? 1 : 1 + dice() % (round % 7 == 0 ? 100000 : 40);
      auto const piece = rest.first(std::min<std::size_t>(most, rest.size()));
      ASSERT_FALSE(reader.take(piece, notes));
      rest = rest.subspan(piece.size());
    }
    ASSERT_EQ(notes.all, its_notes) << "round " << round;
  }
}

TEST(WebSocketFrame, says_nothing_more_once_its_hearer_has_had_enough) {
  auto bytes = conversation();
  MessageReader reader{Role::server, 100000};
  Notes notes;
  notes.patience = 3;
  EXPECT_FALSE(reader.take(bytes, notes));
  EXPECT_EQ(notes.all.size(), 3u);
}

TEST(WebSocketFrame, keeps_nothing_of_what_came_whole) {
  auto bytes = frame(Opcode::text, std::string(20000, 'x'));
  MessageReader reader{Role::server, 100000};
  Notes notes;
  EXPECT_FALSE(reader.take(bytes, notes));
  EXPECT_LT(reader.kept_bytes(), 100u);
  for (auto byte : frame(Opcode::text, std::string(20000, 'x'))) EXPECT_FALSE(reader.take({&byte, 1}, notes));
  EXPECT_EQ(notes.all.size(), 2u);
  EXPECT_LE(reader.kept_bytes(), 4200u);
}

TEST(WebSocketFrame, tells_text_that_cannot_become_right_before_the_message_is_whole) {
  auto bytes = frame(Opcode::text, "fine \xE2\x82", false) + frame(Opcode::continuation, "\x28", false);
  MessageReader reader{Role::server, 1000};
  Notes notes;
  auto const violation = reader.take(bytes, notes);
  ASSERT_TRUE(violation);
  EXPECT_EQ(violation->code, 1007);
}

TEST(WebSocketFrame, refuses_a_length_before_it_stores_a_byte_of_it) {
  auto bytes = std::string("\x81\xFF\x00\x00\x00\x01\x00\x00\x00\x00", 10);
  MessageReader reader{Role::server, 64 * 1024};
  Notes notes;
  auto const violation = reader.take(bytes, notes);
  ASSERT_TRUE(violation);
  EXPECT_EQ(violation->code, 1009);
}

TEST(WebSocketFrame, as_a_client_hears_unmasked_frames_only) {
  std::string bytes;
  append_frame(bytes, Opcode::text, "plain");
  Notes notes;
  MessageReader reader{Role::client, 1000};
  EXPECT_FALSE(reader.take(bytes, notes));
  EXPECT_EQ(notes.all, std::vector<std::string>{"text plain"});
  auto masked = frame(Opcode::text, "masked");
  auto const violation = reader.take(masked, notes);
  ASSERT_TRUE(violation);
  EXPECT_EQ(violation->code, 1002);
}

TEST(WebSocketFrame, accepts_exactly_the_close_codes_that_may_travel) {
  for (unsigned code = 0; code < 6000; ++code) {
    std::string const payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
    auto bytes = frame(Opcode::close, payload);
    MessageReader reader{Role::server, 1000};
    Notes notes;
    bool const may = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
    EXPECT_EQ(!reader.take(bytes, notes), may) << code;
  }
}

TEST(WebSocketFrame, masks_by_words_as_by_bytes_at_every_offset_and_length) {
  for (std::size_t length = 0; length < 40; ++length) {
    for (std::size_t offset = 0; offset < 8; ++offset) {
      std::string text(length, '\0');
      for (std::size_t i = 0; i < length; ++i) text[i] = static_cast<char>(i * 7);
      auto expected = text;
      for (std::size_t i = 0; i < length; ++i) expected[i] = static_cast<char>(expected[i] ^ key[(i + offset) % 4]);
      net::websocket::apply_mask(text, key, offset);
      ASSERT_EQ(text, expected) << length << " " << offset;
    }
  }
}

TEST(Utf8, agrees_with_a_table_of_every_sequence_of_two_and_three_bytes) {
  // RFC 3629, section 4, written down the other way round: encode every scalar value and see what is in the set.
  std::set<std::string> valid;
  for (char32_t c = 0; c < 0x10000; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    if (c < 0x80) continue;
    std::string text;
    if (c < 0x800) {
      text = {static_cast<char>(0xC0 | (c >> 6)), static_cast<char>(0x80 | (c & 0x3F))};
    } else {
      text = {static_cast<char>(0xE0 | (c >> 12)), static_cast<char>(0x80 | ((c >> 6) & 0x3F)),
              static_cast<char>(0x80 | (c & 0x3F))};
    }
    valid.insert(text);
  }
  for (unsigned a = 0x80; a < 0x100; ++a) {
    for (unsigned b = 0; b < 0x100; ++b) {
      std::string const two{static_cast<char>(a), static_cast<char>(b)};
      ASSERT_EQ(net::is_utf8(two), valid.contains(two)) << a << " " << b;
      if (a < 0xE0 || a > 0xEF) continue;
      for (unsigned c = 0x7E; c < 0xC2; ++c) {
        auto const three = two + static_cast<char>(c);
        ASSERT_EQ(net::is_utf8(three), valid.contains(three)) << a << " " << b << " " << c;
      }
    }
  }
  EXPECT_TRUE(net::is_utf8("\xF0\x9F\x93\x9E"));
  EXPECT_FALSE(net::is_utf8("\xF0\x8F\xBF\xBF"));
  EXPECT_FALSE(net::is_utf8("\xF4\x90\x80\x80"));
  EXPECT_FALSE(net::is_utf8("\xF0\x9F\x93"));
}

}  // namespace
