#include "crm/integrations/envelope.h"

#include <gtest/gtest.h>

#include "crm/integrations/legacy_secret.h"

namespace {

using base::Secret;
using crm::SecretPlace;

SecretPlace const place{base::TenantId{"ten_1"}, "integrations", "int_1", "secret"};
crm::VaultKey const key{"key_1", Secret{std::string(32, 'k')}};

TEST(Envelope, opens_to_what_was_sealed) {
  for (auto const& text :
       {std::string{}, std::string{"sk_live_1"}, std::string("a\0\xff", 3), std::string(65536, 'x')}) {
    auto const sealed = crm::seal(key, place, Secret{text});
    ASSERT_TRUE(sealed);
    EXPECT_TRUE(sealed->starts_with("v1.key_1."));
    EXPECT_EQ(sealed->find("sk_live"), std::string::npos);
    EXPECT_EQ(crm::key_id_of(*sealed), "key_1");
    auto const opened = crm::open(key, place, *sealed);
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->reveal(), text);
  }
  EXPECT_EQ(crm::seal(key, place, Secret{std::string(65537, 'x')}).error().fault, base::Fault::too_large);
}

TEST(Envelope, made_elsewhere_with_the_same_rules_opens) {
  // Python: AESGCM(b"k" * 32).encrypt(b"\x01" * 12, b"sk_live_1", aad), aad = each of v1, key_1, ten_1, integrations,
  // int_1, secret behind its length in four bytes.
  auto const opened = crm::open(key, place, "v1.key_1.AQEBAQEBAQEBAQEB.JISnxhyL9bN0OJdFrE433tVZhI6wWdVjtQ");
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->reveal(), "sk_live_1");
}

TEST(Envelope, of_the_same_secret_is_another_each_time) {
  EXPECT_NE(*crm::seal(key, place, Secret{"x"}), *crm::seal(key, place, Secret{"x"}));
}

TEST(Envelope, opens_in_its_own_place_only) {
  auto const sealed = crm::seal(key, place, Secret{"x"}).value();
  auto moved = place;
  moved.tenant = base::TenantId{"ten_2"};
  EXPECT_FALSE(crm::open(key, moved, sealed));
  moved = place;
  moved.row = "int_2";
  EXPECT_FALSE(crm::open(key, moved, sealed));
  moved = place;
  moved.column = "settings";
  EXPECT_FALSE(crm::open(key, moved, sealed));
  moved = place;
  moved.table = "integration";
  moved.row = "sint_1";
  EXPECT_FALSE(crm::open(key, moved, sealed));
}

TEST(Envelope, with_a_changed_character_does_not_open_and_does_not_say_why) {
  auto const sealed = crm::seal(key, place, Secret{"secret"}).value();
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    auto changed = sealed;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    auto const opened = crm::open(key, place, changed);
    ASSERT_FALSE(opened) << i;
    EXPECT_EQ(opened.error().detail, "the secret cannot be opened");
  }
  for (std::size_t size = 0; size < sealed.size(); ++size)
    EXPECT_FALSE(crm::open(key, place, std::string_view{sealed}.substr(0, size)));
  EXPECT_FALSE(crm::open(key, place, sealed + "."));
  EXPECT_FALSE(crm::open(key, place, sealed + "A"));
}

TEST(Envelope, does_not_open_with_another_key_of_the_same_name) {
  auto const sealed = crm::seal(key, place, Secret{"x"}).value();
  EXPECT_FALSE(crm::open(crm::new_vault_key("key_1"), place, sealed));
  EXPECT_FALSE(crm::open(crm::VaultKey{"key_2", key.bytes}, place, sealed));
}

TEST(Envelope, is_told_from_other_texts) {
  for (auto const* text : {"", "v1", "v1.key_1", "v1.key_1.a", "v2.key_1.a.b", "v1..a.b", "v1.ke y.a.b",
                           "000102030405060708090a0b0c0d0e0f:6f7bf8a650dd6cfdfc435b94a9cb38c1"})
    EXPECT_EQ(crm::key_id_of(text), std::nullopt) << text;
}

TEST(LegacySecret, has_the_key_that_scrypt_makes) {
  crm::LegacyKey const legacy{Secret{"secret"}};
  auto const bytes = legacy.bytes().reveal();
  EXPECT_EQ(base::to_hex({reinterpret_cast<std::uint8_t const*>(bytes.data()), bytes.size()}),
            "05ffaebcca41770af425d4ba9b4e7bcdff532237dca931c192a36d94db7307d4");
}

TEST(LegacySecret, is_read) {
  crm::LegacyKey const legacy{Secret{"secret"}};
  // Made with openssl enc -aes-256-cbc and that key.
  std::pair<char const*, char const*> const cases[] = {
      {"000102030405060708090a0b0c0d0e0f:af624f93d368d8d7ebd6be40e5dc97edcc950aa92f1a534f8269988376a87955",
       "sk_live_abcdefgh"},
      {"000102030405060708090a0b0c0d0e0f:6f7bf8a650dd6cfdfc435b94a9cb38c1", ""},
      {"FFEEDDCCBBAA99887766554433221100:ffae32d4a43b9cf1cd52aea1774ea394af6d00138a018ed4c31a3553ef15b01a",
       "{\"apiKey\":\"Grüße\"}"},
  };
  for (auto const& [text, plain] : cases) {
    auto const opened = legacy.open(text);
    ASSERT_TRUE(opened) << text;
    EXPECT_EQ(opened->reveal(), plain);
    EXPECT_TRUE(crm::is_legacy_secret(text));
  }
}

TEST(LegacySecret, that_cannot_be_read_looks_like_every_other) {
  crm::LegacyKey const legacy{Secret{"secret"}};
  crm::LegacyKey const other{Secret{"Secret"}};
  std::string const good =
      "000102030405060708090a0b0c0d0e0f:af624f93d368d8d7ebd6be40e5dc97edcc950aa92f1a534f8269988376a87955";
  EXPECT_FALSE(other.open(good));
  for (auto const& text : {std::string{}, std::string{":"}, good.substr(0, 33), good.substr(1), good.substr(0, 96),
                           good + "00", "g" + good.substr(1), good.substr(0, 96) + "!", std::string{"sk_live_plain"},
                           good.substr(0, 33) + std::string(64, '0')}) {
    auto const opened = legacy.open(text);
    ASSERT_FALSE(opened) << text;
    EXPECT_EQ(opened.error().detail, "the secret cannot be opened");
  }
  EXPECT_FALSE(crm::is_legacy_secret("sk_live_plain"));
}

}  // namespace
