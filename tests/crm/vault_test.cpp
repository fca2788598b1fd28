#include "crm/integrations/vault.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "gateway/commands/keys.h"
#include "tests/crm/call_scene.h"

namespace {

using base::Fault;
using base::Secret;
using crm::SecretPlace;
using test::sql;

std::string const key_a(64, 'a');
std::string const key_b(64, 'b');

config::Vault vault_settings(std::string const& current, std::string const& previous = "") {
  config::Vault settings;
  settings.integration_encryption_key = Secret{current};
  settings.integration_encryption_key_previous = Secret{previous};
  return settings;
}

crm::MasterKeys masters(std::string const& current, std::string const& previous = "") {
  return crm::MasterKeys::read(vault_settings(current, previous)).value();
}

class TenantVault : public test::BusinessTest {
 protected:
  void SetUp() override {
    BusinessTest::SetUp();
    if (IsSkipped()) return;
    sql(conninfo, "insert into tenants (id, name, timezone) values ('ten_2', 'Other', 'UTC')");
    pool.emplace(settings(2), time);
  }

  static SecretPlace place(std::string tenant = "ten_1") {
    return {base::TenantId{std::move(tenant)}, "integrations", "int_1", "secret"};
  }
  std::string seal(crm::Vault vault, std::string const& text, SecretPlace at = place()) {
    auto session = pool->until(soon());
    auto const sealed = run(vault.seal(session, std::move(at), Secret{text}));
    EXPECT_TRUE(sealed) << sealed.error().detail;
    return sealed.value_or("");
  }
  base::Result<Secret> reveal(crm::Vault vault, std::string stored, SecretPlace at = place()) {
    auto session = pool->until(soon());
    return run(vault.reveal(session, std::move(at), std::move(stored)));
  }

  std::optional<crm::pg::Pool> pool;
};

TEST_F(TenantVault, keeps_a_secret_under_a_key_of_the_tenant_that_the_database_cannot_use) {
  crm::Vault const vault{masters(key_a)};
  auto const stored = seal(vault, "sk_live_1");
  EXPECT_EQ(reveal(vault, stored)->reveal(), "sk_live_1");
  EXPECT_EQ(reveal(vault, seal(vault, "sk_live_2"))->reveal(), "sk_live_2");
  EXPECT_EQ(sql(conninfo, "select count(*) from tenant_keys"), "1");
  seal(vault, "x", place("ten_2"));
  EXPECT_EQ(sql(conninfo, "select count(distinct tenant_id) from tenant_keys"), "2");
  auto const refused = reveal(crm::Vault{masters(key_b)}, stored);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, Fault::refused);
  EXPECT_EQ(refused.error().detail, "the secret cannot be opened");
}

TEST_F(TenantVault, does_not_give_one_tenants_secret_to_another) {
  crm::Vault const vault{masters(key_a)};
  auto const stored = seal(vault, "sk_live_1");
  seal(vault, "x", place("ten_2"));
  EXPECT_FALSE(reveal(vault, stored, place("ten_2")));
  sql(conninfo,
      "update tenant_keys as stolen set wrapped = (select wrapped from tenant_keys where tenant_id = 'ten_1')"
      " where tenant_id = 'ten_2'");
  EXPECT_FALSE(reveal(vault, seal(vault, "y"), place("ten_2")));
}

TEST_F(TenantVault, forgets_a_tenant_whose_key_is_deleted) {
  crm::Vault const vault{masters(key_a)};
  auto const stored = seal(vault, "sk_live_1");
  sql(conninfo, "delete from tenant_keys where tenant_id = 'ten_1'");
  EXPECT_FALSE(reveal(vault, stored));
  EXPECT_EQ(reveal(vault, seal(vault, "new"))->reveal(), "new");
}

TEST_F(TenantVault, knows_no_tenant_that_is_not_there) {
  crm::Vault vault{masters(key_a)};
  auto session = pool->until(soon());
  EXPECT_EQ(run(vault.seal(session, place("ten_gone"), Secret{"x"})).error().fault, Fault::not_found);
}

TEST_F(TenantVault, changes_its_master_key_by_wrapping_the_tenants_keys_anew) {
  auto const stored = seal(crm::Vault{masters(key_a)}, "sk_live_1");
  crm::Vault both{masters(key_b, key_a)};
  EXPECT_EQ(reveal(both, stored)->reveal(), "sk_live_1");
  EXPECT_FALSE(reveal(crm::Vault{masters(key_b)}, stored));
  auto session = pool->until(soon());
  auto const first = run(both.rewrap(session));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->done, 1);
  EXPECT_EQ(run(both.rewrap(session))->done, 0);
  EXPECT_EQ(reveal(crm::Vault{masters(key_b)}, stored)->reveal(), "sk_live_1");
  EXPECT_FALSE(reveal(crm::Vault{masters(key_a)}, stored));
}

TEST_F(TenantVault, counts_the_keys_it_cannot_unwrap_and_leaves_them) {
  auto const stored = seal(crm::Vault{masters(key_a)}, "sk_live_1");
  crm::Vault stranger{masters(key_b)};
  auto session = pool->until(soon());
  auto const rewrapped = run(stranger.rewrap(session));
  ASSERT_TRUE(rewrapped);
  EXPECT_EQ(rewrapped->done, 0);
  EXPECT_EQ(rewrapped->unknown, 1);
  EXPECT_EQ(reveal(crm::Vault{masters(key_a)}, stored)->reveal(), "sk_live_1");
}

TEST_F(TenantVault, reads_the_legacy_format_only_with_its_passphrase) {
  std::string const legacy =
      "000102030405060708090a0b0c0d0e0f:af624f93d368d8d7ebd6be40e5dc97edcc950aa92f1a534f8269988376a87955";
  EXPECT_EQ(reveal(crm::Vault{masters(key_a), crm::LegacyKey{Secret{"secret"}}}, legacy)->reveal(), "sk_live_abcdefgh");
  EXPECT_FALSE(reveal(crm::Vault{masters(key_a)}, legacy));
  EXPECT_FALSE(reveal(crm::Vault{masters(key_a), crm::LegacyKey{Secret{"secret"}}}, "sk_live_plain"));
}

TEST(MasterKeys, are_read_from_hex_and_base64_and_refused_otherwise) {
  EXPECT_TRUE(crm::MasterKeys::read(vault_settings(key_a)));
  EXPECT_EQ(masters("qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=").primary().id, masters(key_a).primary().id);
  EXPECT_NE(masters(key_b).primary().id, masters(key_a).primary().id);
  EXPECT_EQ(masters(key_a).primary().id.find("aaaa"), std::string::npos);
  for (auto const& text : {std::string{}, std::string(63, 'a'), std::string(65, 'a'), std::string(64, 'g')})
    EXPECT_FALSE(crm::MasterKeys::read(vault_settings(text))) << text;
  EXPECT_FALSE(crm::MasterKeys::read(vault_settings(key_a, key_b + ",x")));
}

struct Ran {
  int exit_code = -1;
  std::string out, err;
};

Ran run_command(std::string const& arguments, std::string const& conninfo, config::Vault const& vault) {
  std::ostringstream out, err;
  CLI::App app{"switchboard"};
  Ran ran;
  gateway::CommandContext const context{[&] {
                                          crm::Database database{.conninfo = conninfo, .server = nullptr};
                                          database.schema = crm::pg::migrate(conninfo);
                                          return database;
                                        },
                                        &out, &err, false,
                                        [&] {
                                          config::Settings settings;
                                          settings.vault = vault;
                                          return settings;
                                        }};
  gateway::add_key_commands(app, context, ran.exit_code);
  app.parse(arguments);
  ran.out = out.str();
  ran.err = err.str();
  return ran;
}

TEST(GenerateEncryptionKey, prints_a_key_that_the_vault_takes) {
  auto const ran = run_command("generate-encryption-key", "", {});
  EXPECT_EQ(ran.exit_code, 0);
  ASSERT_EQ(ran.out.size(), 65U);
  EXPECT_TRUE(crm::MasterKeys::read(vault_settings(ran.out.substr(0, 64))));
  auto const json = nlohmann::json::parse(run_command("generate-encryption-key --json", "", {}).out);
  EXPECT_TRUE(crm::MasterKeys::read(vault_settings(json.at("key"))));
  EXPECT_NE(json.at("key").get<std::string>() + "\n", ran.out);
}

TEST_F(TenantVault, is_rotated_by_a_command) {
  auto const stored = seal(crm::Vault{masters(key_a)}, "sk_live_1");
  auto const ran = run_command("secrets rotate --json", conninfo, vault_settings(key_b, key_a));
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ran.out, "{\"rewrapped\":1,\"unknown\":0}\n");
  EXPECT_EQ(reveal(crm::Vault{masters(key_b)}, stored)->reveal(), "sk_live_1");
  EXPECT_EQ(sql(conninfo, "select string_agg(tenant_id || ' ' || action, ',') from audit_entries"),
            "ten_1 secrets.rotated");
  auto const lost = run_command("secrets rotate", conninfo, vault_settings(key_a));
  EXPECT_EQ(lost.exit_code, 1);
  EXPECT_EQ(lost.err,
            "switchboard: 1 keys are wrapped by a key that is neither INTEGRATION_ENCRYPTION_KEY nor in "
            "INTEGRATION_ENCRYPTION_KEY_PREVIOUS\n");
  EXPECT_EQ(run_command("secrets rotate", conninfo, {}).err, "switchboard: INTEGRATION_ENCRYPTION_KEY is not set\n");
}

/// Two secrets of an earlier product, one of the vault's, one in no format at all.
class LegacySecrets : public TenantVault {
 protected:
  void SetUp() override {
    TenantVault::SetUp();
    if (IsSkipped()) return;
    put("int_1", legacy);
    put("int_2", legacy);
    put("int_3", seal(crm::Vault{masters(key_a)}, "sk_live_3"));
    given = vault_settings(key_a);
    given.api_key_encryption_secret = Secret{"secret"};
  }
  void put(std::string const& id, std::string const& secret) {
    sql(conninfo, "insert into integrations (tenant_id, id, provider, name, secret) values ('ten_1', '" + id +
                      "', 'hubspot', '" + id + "', '" + secret + "')");
  }
  std::string kept(std::string const& id) {
    return sql(conninfo, "select secret from integrations where id = '" + id + "'");
  }
  nlohmann::json migrate(std::string const& more = "") {
    return nlohmann::json::parse(run_command("secrets migrate --json " + more, conninfo, given).out);
  }

  std::string const legacy =
      "000102030405060708090a0b0c0d0e0f:af624f93d368d8d7ebd6be40e5dc97edcc950aa92f1a534f8269988376a87955";
  config::Vault given;
};

TEST_F(LegacySecrets, are_sealed_anew_by_a_command_that_may_be_repeated) {
  auto const untouched = kept("int_3");
  EXPECT_EQ(migrate("--dry-run")["can_be_resealed"], 2);
  EXPECT_EQ(kept("int_1"), legacy);
  EXPECT_EQ(migrate()["resealed"], 2);
  EXPECT_EQ(migrate()["resealed"], 0);
  EXPECT_EQ(kept("int_3"), untouched);
  for (auto const* id : {"int_1", "int_2"}) {
    SecretPlace const at{base::TenantId{"ten_1"}, "integrations", id, "secret"};
    EXPECT_EQ(reveal(crm::Vault{masters(key_a)}, kept(id), at)->reveal(), "sk_live_abcdefgh");
  }
  EXPECT_EQ(sql(conninfo, "select string_agg(action || ' ' || subject, ',' order by ordinal) from audit_entries"),
            "secret.resealed int_1,secret.resealed int_2");
}

TEST_F(LegacySecrets, stay_as_they_are_when_they_cannot_be_opened) {
  put("int_4", "plain");
  given.api_key_encryption_secret = Secret{"wrong"};
  auto const ran = run_command("secrets migrate", conninfo, given);
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_NE(ran.err.find("2 secrets cannot be opened with these keys, 1 are in no known format"), std::string::npos)
      << ran.err;
  EXPECT_EQ(kept("int_1"), legacy);
  EXPECT_EQ(kept("int_4"), "plain");
}

TEST_F(LegacySecrets, that_open_to_noise_are_not_taken_for_secrets) {
  // Another first byte of the IV: the padding is right, the first character is none.
  auto const noise = "80" + legacy.substr(2);
  ASSERT_TRUE(crm::LegacyKey{Secret{"secret"}}.open(noise));
  sql(conninfo, "update integrations set secret = '" + noise + "' where id = 'int_1'");
  EXPECT_EQ(migrate()["unreadable"], 1);
  EXPECT_EQ(kept("int_1"), noise);
}

TEST_F(LegacySecrets, need_their_passphrase) {
  auto const ran = run_command("secrets migrate", conninfo, vault_settings(key_a));
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_NE(ran.err.find("API_KEY_ENCRYPTION_SECRET is not set"), std::string::npos);
}

}  // namespace
