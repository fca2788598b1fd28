// HubSpot's own client against the fake HubSpot. SIM_URL names it. Exits 0 when it is content, 1 with a sentence when not.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const hubspot = require("@hubspot/api-client");

const basePath = process.env.SIM_URL;
assert.ok(basePath, "SIM_URL is not set");

const connect = (accessToken, more = {}) => new hubspot.Client({ accessToken, basePath, ...more });
const refusal = (code, check = () => true) => (error) => error.code === code && check(error.body);

const ada = { email: "ada@example.com", firstname: "Ada", phone: "+15551230000" };

async function records(client) {
  const contacts = client.crm.contacts;
  const created = await contacts.basicApi.create({ properties: ada, associations: [] });
  assert.match(created.id, /^\d+$/);
  await assert.rejects(
    contacts.basicApi.create({ properties: ada, associations: [] }),
    refusal(409, (body) => body.category === "CONFLICT" && body.message.endsWith(`Existing ID: ${created.id}`)),
  );
  await contacts.basicApi.update(created.id, { properties: { lastname: "Lovelace" } });
  const wanted = ["lastname", "mobilephone"];
  const read = await contacts.basicApi.getById(ada.email, wanted, undefined, undefined, false, "email");
  assert.equal(read.id, created.id);
  assert.equal(read.properties.lastname, "Lovelace");
  assert.equal(read.properties.mobilephone, null);
  await assert.rejects(contacts.basicApi.getById("999999"), refusal(404));
  await assert.rejects(
    contacts.basicApi.create({ properties: { lastname: "X", colour: "red" }, associations: [] }),
    refusal(400, (body) => JSON.parse(body.message.slice(body.message.indexOf("[")))[0].error === "PROPERTY_DOESNT_EXIST"),
  );
  return created.id;
}

async function ownKeys(client) {
  const property = {
    groupName: "contactinformation",
    name: "our_key",
    label: "Our key",
    type: "string",
    fieldType: "text",
    hasUniqueValue: true,
  };
  const made = await client.crm.properties.coreApi.create("contacts", property);
  assert.equal(made.hasUniqueValue, true);
  await assert.rejects(client.crm.properties.coreApi.create("contacts", property), refusal(409));
  const all = await client.crm.properties.coreApi.getAll("contacts");
  assert.ok(all.results.some((one) => one.name === "our_key"));
  const input = { idProperty: "our_key", id: "k-1", properties: { firstname: "Bob" } };
  const first = await client.crm.contacts.batchApi.upsert({ inputs: [input] });
  assert.equal(first.results[0]._new, true);
  const second = await client.crm.contacts.batchApi.upsert({ inputs: [input] });
  assert.equal(second.results[0]._new, false);
  assert.equal(second.results[0].id, first.results[0].id);
  const taken = { idProperty: "our_key", id: "k-2", properties: { email: ada.email } };
  const mixed = await client.crm.contacts.batchApi.upsert({ inputs: [input, taken] });
  assert.equal(mixed.numErrors, 1);
  assert.equal(mixed.results.length, 1);
}

async function engagements(client, contact) {
  const call = await client.crm.objects.calls.basicApi.create({
    properties: { hs_timestamp: "2026-03-02T09:00:00.000Z", hs_call_title: "Inbound call", hs_call_duration: "83000" },
    associations: [],
  });
  const linked = await client.crm.associations.v4.basicApi.createDefault("calls", call.id, "contacts", contact);
  assert.equal(linked.status, "COMPLETE");
  const page = await client.crm.associations.v4.basicApi.getPage("calls", call.id, "contacts");
  assert.equal(page.results.length, 1);
  assert.equal(page.results[0].associationTypes[0].typeId, 194);
  await assert.rejects(
    client.crm.objects.meetings.basicApi.create({ properties: { hs_meeting_title: "No time" }, associations: [] }),
    refusal(400),
  );
  const toContact = [{ to: { id: contact }, types: [{ associationCategory: "HUBSPOT_DEFINED", associationTypeId: 578 }] }];
  await client.crm.objects.leads.basicApi.create({ properties: { hs_lead_name: "Acme" }, associations: toContact });
  await assert.rejects(
    client.crm.objects.leads.basicApi.create({ properties: { hs_lead_name: "Acme" }, associations: [] }),
    refusal(400),
  );
}

async function searches(client, contact) {
  const search = (value) =>
    client.crm.contacts.searchApi.doSearch({
      filterGroups: [{ filters: [{ propertyName: "hs_searchable_calculated_phone_number", operator: "EQ", value }] }],
      properties: ["email"],
      limit: 1,
      after: "0",
      sorts: [],
    });
  const hit = await search("5551230000");
  assert.equal(hit.total, 1);
  assert.equal(hit.results[0].id, contact);
  const miss = await search("5550000000");
  assert.equal(miss.total, 0);
}

async function doors(client) {
  await assert.rejects(connect("nobody").crm.contacts.basicApi.getPage(), refusal(401, (body) => body.category === "INVALID_AUTHENTICATION"));
  await assert.rejects(connect("expired").crm.contacts.basicApi.getPage(), refusal(401, (body) => body.category === "EXPIRED_AUTHENTICATION"));
  await assert.rejects(
    connect("reader").crm.contacts.basicApi.create({ properties: ada, associations: [] }),
    refusal(403, (body) => body.category === "MISSING_SCOPES"),
  );
  // The test has told the fake to limit notes.
  await assert.rejects(
    client.crm.objects.notes.basicApi.getPage(),
    refusal(429, (body) => body.policyName === "TEN_SECONDLY_ROLLING"),
  );
  const details = await client.apiRequest({ path: "/account-info/v3/details" });
  assert.equal((await details.json()).portalId, 4711);
  const tokens = await client.oauth.tokensApi.create("refresh_token", undefined, undefined, "cid", "secret", "refresh-sim");
  assert.equal(tokens.expiresIn, 1800);
  await connect(tokens.accessToken).crm.contacts.basicApi.getPage();
  await assert.rejects(
    client.oauth.tokensApi.create("refresh_token", undefined, undefined, "cid", "secret", "revoked"),
    refusal(400, (body) => body.status === "BAD_REFRESH_TOKEN"),
  );
}

try {
  const client = connect("pat-na1-sim");
  const contact = await records(client);
  await ownKeys(client);
  await engagements(client, contact);
  await searches(client, contact);
  await doors(client);
  console.log("HubSpot's client accepts the fake");
  process.exit(0);
} catch (error) {
  console.error(error);
  process.exit(1);
}
