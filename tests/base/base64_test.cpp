#include "gateway/base/base64.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <array>
#include <random>
#include <string>
#include <vector>

namespace {

using Bytes = std::vector<std::uint8_t>;

std::string encoded(Bytes const& bytes) {
  std::string text;
  base::append_base64(text, bytes);
  return text;
}

base::Result<Bytes> decoded(std::string_view text) {
  Bytes bytes(base::base64_decoded_bound(text.size()));
  auto const size = base::decode_base64(text, bytes);
  if (!size) return std::unexpected{size.error()};
  bytes.resize(*size);
  return bytes;
}

std::string encoded_by_openssl(Bytes const& bytes) {
  std::string text(base::base64_size(bytes.size()) + 1, '\0');
  auto const size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

// EVP_DecodeBlock counts padding as zero bytes wherever it stands, and forgives stray bits and white space around the
// text.
bool openssl_decodes(std::string const& text, Bytes& bytes) {
  bytes.assign(text.size() / 4 * 3 + 3, 0);
  auto const size =
      EVP_DecodeBlock(bytes.data(), reinterpret_cast<unsigned char const*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return false;
  auto const padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  bytes.resize(static_cast<std::size_t>(size - padding));
  return true;
}

Bytes random_bytes(std::size_t size, std::mt19937& random) {
  Bytes bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

TEST(Base64, gives_the_examples_of_rfc_4648) {
  std::array<std::pair<std::string, std::string>, 7> const examples{{{"", ""},
                                                                     {"f", "Zg=="},
                                                                     {"fo", "Zm8="},
                                                                     {"foo", "Zm9v"},
                                                                     {"foob", "Zm9vYg=="},
                                                                     {"fooba", "Zm9vYmE="},
                                                                     {"foobar", "Zm9vYmFy"}}};
  for (auto const& [plain, text] : examples) {
    Bytes const bytes{plain.begin(), plain.end()};
    EXPECT_EQ(encoded(bytes), text);
    EXPECT_EQ(decoded(text).value(), bytes);
  }
}

TEST(Base64, agrees_with_openssl_on_bytes_of_every_length_up_to_a_kilobyte) {
  std::mt19937 random{1};
  for (std::size_t size = 0; size <= 1024; ++size) {
    auto const bytes = random_bytes(size, random);
    auto const text = encoded(bytes);
    ASSERT_EQ(text, encoded_by_openssl(bytes));
    ASSERT_EQ(text.size(), base::base64_size(size));
    ASSERT_EQ(decoded(text).value(), bytes);
  }
}

TEST(Base64, agrees_with_openssl_on_which_single_characters_are_foreign) {
  for (int place = 0; place < 4; ++place) {
    for (int c = 0; c < 256; ++c) {
      if (c == '=') continue;
      std::string text = "AAAAAAAAAAAA";  // the middle group: openssl trims white space at the ends
      text[static_cast<std::size_t>(4 + place)] = static_cast<char>(c);
      Bytes theirs;
      auto const ours = decoded(text);
      ASSERT_EQ(ours.has_value(), openssl_decodes(text, theirs)) << "character " << c << " at " << place;
      if (ours) {
        ASSERT_EQ(*ours, theirs);
      }
    }
  }
}

TEST(Base64, accepts_exactly_the_texts_that_it_would_write_itself) {
  std::mt19937 random{2};
  std::string_view const letters = "AQgw/+z9=\n A=";
  int accepted = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string text;
    for (auto i = random() % 9; i > 0; --i) text += letters[random() % letters.size()];
    auto const bytes = decoded(text);
    if (!bytes) continue;
    ++accepted;
    ASSERT_EQ(encoded(*bytes), text);
    Bytes theirs;
    ASSERT_TRUE(text.empty() || openssl_decodes(text, theirs));
    ASSERT_EQ(*bytes, theirs);
  }
  EXPECT_GT(accepted, 1000);
}

TEST(Base64, refuses_white_space_wrong_padding_and_bits_that_padding_says_do_not_exist) {
  for (auto const* text : {"Zg",    "Zg=",          "Zg===",    "Z",        "=",        "==",   "===",    "====",
                           "Z===",  "Zm=v",         "Zg==Zg==", "Zm8=Zm8=", "Zh==",     "Zm9=", "Zm9v\n", "Zm9 ",
                           " Zm9v", "Zm9v\r\n\r\n", "Zm-v",     "Zm_v",     "Zm9v====", "Z=m9", "=m9v",   "Zm\xC3v"}) {
    auto const result = decoded(text);
    ASSERT_FALSE(result.has_value()) << text;
    EXPECT_EQ(result.error().fault, base::Fault::protocol) << text;
  }
}

TEST(Base64, refuses_to_write_past_the_room_it_was_given) {
  std::array<std::uint8_t, 5> room{};
  EXPECT_EQ(base::decode_base64("Zm9vYmE=", room).value(), 5U);
  auto const result = base::decode_base64("Zm9vYmFy", room);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().fault, base::Fault::too_large);
}

TEST(Base64, appends_behind_what_is_there) {
  std::string text = "{\"payload\":\"";
  base::append_base64(text, Bytes{'f', 'o'});
  EXPECT_EQ(text, "{\"payload\":\"Zm8=");
}

TEST(Base64, knows_the_form_that_urls_take) {
  struct Case {
    char const* bytes;
    char const* standard;
    char const* url;
  };
  Case const cases[] = {{"", "", ""},
                        {"f", "Zg==", "Zg"},
                        {"fo", "Zm8=", "Zm8"},
                        {"foo", "Zm9v", "Zm9v"},
                        {"\xfb\xff", "+/8=", "-_8"},
                        {"foobar", "Zm9vYmFy", "Zm9vYmFy"}};
  for (auto const& [bytes, standard, url] : cases) {
    EXPECT_EQ(base::to_base64(bytes), standard);
    EXPECT_EQ(base::to_base64(bytes, base::Base64::url), url);
    EXPECT_EQ(base::from_base64(standard), bytes);
    EXPECT_EQ(base::from_base64(url, base::Base64::url), bytes);
  }
  for (auto const* text : {"Zg", "Zg=", "Zh==", "Zm9", "Z===", "====", "Zg==Zg==", "Zm9v\n", "-_8="})
    EXPECT_FALSE(base::from_base64(text)) << text;
  for (auto const* text : {"Z", "Zh", "Zg==", "+/8", "Zm9vY"})
    EXPECT_FALSE(base::from_base64(text, base::Base64::url)) << text;
}

}  // namespace
