#include "crm/store/contacts.h"

#include "tests/crm/call_scene.h"

namespace {

using test::sql;

class Contacts : public test::BusinessTest {
 protected:
  static crm::Contact ada() {
    crm::Contact contact{crm::ContactId{"con_1"}, base::TenantId{"ten_1"}, "Ada", "+15550002222"};
    contact.source = "call";
    return contact;
  }
  /// Runs one store function that answers with a Result.
  template <class Function, class... Arguments>
  auto with(Function function, Arguments... arguments) {
    crm::pg::Pool pool{settings(1), time};
    auto session = pool.until(soon());
    return run(function(session, std::move(arguments)...));
  }
  crm::Contact stored(std::string const& id = "con_1") {
    auto const found = with(crm::find_contact, base::TenantId{"ten_1"}, crm::ContactId{id});
    EXPECT_TRUE(found && *found);
    return found && *found ? **found : crm::Contact{};
  }
  void learn(std::string name, std::string email, std::string phone) {
    crm::LearnedOfContact learned{.tenant = base::TenantId{"ten_1"},
                                  .contact = crm::ContactId{"con_1"},
                                  .full_name = std::move(name),
                                  .email = std::move(email),
                                  .phone = std::move(phone)};
    auto const noted = with(crm::learn_about_contact, learned);
    EXPECT_TRUE(noted) << noted.error().detail;
  }
};

TEST_F(Contacts, keep_everything_that_is_known_of_them) {
  auto contact = ada();
  contact.email = "ada@example.com";
  contact.company = "Engines";
  contact.tags = {"vip", "with \"quotes\", and commas"};
  contact.custom_fields = {{"insurance", "AOK"}};
  contact.timezone = "Europe/London";
  contact.consent_json = R"({"sms": true})";
  contact.do_not_contact = true;
  contact.typed_fields = {"full_name"};
  ASSERT_TRUE(with(crm::insert_contact, contact));
  auto const found = stored();
  EXPECT_EQ(found.full_name, contact.full_name);
  EXPECT_EQ(found.email, contact.email);
  EXPECT_EQ(found.company, contact.company);
  EXPECT_EQ(found.tags, contact.tags);
  EXPECT_EQ(found.custom_fields, contact.custom_fields);
  EXPECT_EQ(found.source, "call");
  EXPECT_EQ(found.timezone, contact.timezone);
  EXPECT_EQ(found.consent_json, contact.consent_json);
  EXPECT_TRUE(found.do_not_contact);
  EXPECT_EQ(found.typed_fields, contact.typed_fields);
}

TEST_F(Contacts, may_have_no_number) {
  auto contact = ada();
  contact.phone_e164 = "";
  ASSERT_TRUE(with(crm::insert_contact, contact));
  EXPECT_EQ(stored().phone_e164, "");
  EXPECT_EQ(sql(conninfo, "select count(*) from contacts where phone_e164 is null"), "1");
}

TEST_F(Contacts, with_the_same_number_are_the_same) {
  ASSERT_TRUE(with(crm::insert_contact, ada()));
  auto again = ada();
  again.id = crm::ContactId{"con_2"};
  EXPECT_EQ(with(crm::ensure_contact, again)->text(), "con_1");
  EXPECT_EQ(sql(conninfo, "select count(*) from contacts"), "1");
}

TEST_F(Contacts, that_came_from_a_call_learn_from_calls) {
  ASSERT_TRUE(with(crm::insert_contact, ada()));
  learn("Ada Lovelace", "ada@example.com", "+15550003333");
  EXPECT_EQ(stored().full_name, "Ada Lovelace");
  EXPECT_EQ(stored().email, "ada@example.com");
  EXPECT_EQ(stored().phone_e164, "+15550002222");
  EXPECT_EQ(sql(conninfo, "select e164 from contact_phones"), "+15550003333");
}

TEST_F(Contacts, that_a_person_made_only_get_what_was_unknown) {
  auto contact = ada();
  contact.source = "manual";
  contact.phone_e164 = "";
  ASSERT_TRUE(with(crm::insert_contact, contact));
  learn("Somebody", "ada@example.com", "+15550003333");
  learn("", "other@example.com", "");
  EXPECT_EQ(stored().full_name, "Ada");
  EXPECT_EQ(stored().email, "ada@example.com");
  EXPECT_EQ(stored().phone_e164, "+15550003333");
  EXPECT_EQ(sql(conninfo, "select count(*) from contact_phones"), "0");
}

TEST_F(Contacts, keep_what_a_person_typed_even_when_it_is_empty) {
  auto contact = ada();
  contact.typed_fields = {"full_name", "email"};
  ASSERT_TRUE(with(crm::insert_contact, contact));
  learn("Ada Lovelace", "ada@example.com", "");
  EXPECT_EQ(stored().full_name, "Ada");
  EXPECT_EQ(stored().email, "");
}

TEST_F(Contacts, are_found_by_their_own_number_before_anybodys_further_one) {
  ASSERT_TRUE(with(crm::insert_contact, ada()));
  sql(conninfo, "insert into contacts (tenant_id, id, full_name) values ('ten_1', 'con_2', 'Ben')");
  sql(conninfo,
      "insert into contact_phones (tenant_id, contact_id, e164) values ('ten_1', 'con_2', '+15550002222'), "
      "('ten_1', 'con_2', '+15550004444'), ('ten_1', 'con_1', '+15550004444')");
  auto const owner = with(crm::contacts_with_number, base::TenantId{"ten_1"}, std::string{"+15550002222"});
  ASSERT_EQ(owner->size(), 1U);
  EXPECT_EQ(owner->front().id.text(), "con_1");
  EXPECT_EQ(with(crm::contacts_with_number, base::TenantId{"ten_1"}, std::string{"+15550004444"})->size(), 2U);
  EXPECT_TRUE(with(crm::contacts_with_number, base::TenantId{"ten_2"}, std::string{"+15550002222"})->empty());
}

}  // namespace
