-- What a call leads to: contacts that grow, appointments, outcomes, and what other systems must still be told.
-- call_id has no foreign key where a row may be written while the call runs: the call's own record may come later.

create extension if not exists btree_gist;

alter table tenants
  -- {"mon": [["09:00", "12:00"], ["13:00", "17:00"]], …}; a day that is missing is closed. Local time of `timezone`.
  add column opening_hours jsonb not null default
    '{"mon": [["09:00", "17:00"]], "tue": [["09:00", "17:00"]], "wed": [["09:00", "17:00"]],
      "thu": [["09:00", "17:00"]], "fri": [["09:00", "17:00"]]}'
    check (jsonb_typeof(opening_hours) = 'object'),
  add column slot_minutes integer not null default 30 check (slot_minutes between 5 and 480),
  add column lead_minutes integer not null default 60 check (lead_minutes between 0 and 43200),
  add column booking_days integer not null default 60 check (booking_days between 1 and 366),
  -- When people may be called or written to, local time of the person.
  add column calling_hours jsonb not null default '{"from": "08:00", "to": "21:00"}'
    check (jsonb_typeof(calling_hours) = 'object'),
  add column confirm_by_sms boolean not null default true;

alter table contacts
  alter column phone_e164 drop not null,
  add column email text check (email like '_%@_%' and email = lower(email)),
  add column company text not null default '',
  add column tags text[] not null default '{}',
  add column custom_fields jsonb not null default '{}' check (jsonb_typeof(custom_fields) = 'object'),
  add column source text not null default 'manual',
  add column timezone text,
  add column consent jsonb not null default '{}' check (jsonb_typeof(consent) = 'object'),
  add column do_not_contact boolean not null default false,
  -- Columns whose value a person typed: what a call learns never replaces those.
  add column typed_fields text[] not null default '{}',
  add column updated_at timestamptz not null default now(),
  add constraint contacts_can_be_told_apart check (phone_e164 is not null or email is not null or full_name <> '');
create index contacts_by_email on contacts (tenant_id, email) where email is not null;

-- Further numbers of a contact; several contacts may share one (a family, an office).
create table contact_phones (
  tenant_id  text not null,
  contact_id text not null,
  e164       text not null check (e164 ~ '^\+[1-9][0-9]{6,14}$'),
  created_at timestamptz not null default now(),
  primary key (tenant_id, contact_id, e164),
  foreign key (tenant_id, contact_id) references contacts (tenant_id, id) on delete cascade
);
create index contact_phones_by_number on contact_phones (tenant_id, e164);

-- A number that leads to several contacts: a person decides.
create table contact_reviews (
  tenant_id  text not null references tenants (id) on delete cascade,
  id         text not null check (id like 'rev\_%'),
  call_id    text not null,
  candidates text[] not null,
  status     text not null default 'open' check (status in ('open', 'settled')),
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  constraint contact_reviews_once_a_call unique (tenant_id, call_id)
);

create table appointments (
  tenant_id   text not null references tenants (id) on delete cascade,
  id          text not null check (id like 'apt\_%'),
  calendar    text not null default 'main' check (calendar <> ''),
  contact_id  text,
  call_id     text,
  service     text not null default '',
  starts_at   timestamptz not null,
  ends_at     timestamptz not null,
  status      text not null check (status in ('held', 'unconfirmed', 'confirmed', 'cancelled', 'completed', 'no_show')),
  held_until  timestamptz,
  location    text not null default '',
  notes       text not null default '',
  -- What asked for it, so that asking again changes nothing: the call and its tool call.
  request_key text,
  version     integer not null default 1,
  created_at  timestamptz not null default now(),
  updated_at  timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, contact_id) references contacts (tenant_id, id) on delete set null (contact_id),
  -- Nobody books for longer than a day: what overlaps a time began at most a day before it.
  check (ends_at > starts_at and ends_at <= starts_at + interval '24 hours'),
  constraint appointments_hold_ends check ((status = 'held') = (held_until is not null)),
  constraint appointments_request_key unique (tenant_id, request_key),
  -- No two that stand may overlap; who comes second is told so by the database, whatever the code believed.
  constraint appointments_overlap exclude using gist
    (tenant_id with =, calendar with =, tstzrange(starts_at, ends_at) with &&)
    where (status in ('held', 'unconfirmed', 'confirmed'))
);
create index appointments_by_start on appointments (tenant_id, starts_at);
create index appointments_by_call on appointments (tenant_id, call_id) where call_id is not null;
create index appointments_by_contact on appointments (tenant_id, contact_id, starts_at) where contact_id is not null;

create table leads (
  tenant_id     text not null references tenants (id) on delete cascade,
  id            text not null check (id like 'lead\_%'),
  contact_id    text,
  call_id       text,
  business_name text not null default '',
  status        text not null default 'new' check (status in ('new', 'contacted', 'qualified', 'won', 'lost')),
  category      text not null default '',
  source        text not null default '',
  notes         text not null default '',
  created_at    timestamptz not null default now(),
  updated_at    timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, contact_id) references contacts (tenant_id, id) on delete set null (contact_id)
);

create table notes (
  tenant_id  text not null references tenants (id) on delete cascade,
  id         text not null check (id like 'note\_%'),
  contact_id text,
  call_id    text,
  kind       text not null default 'note' check (kind in ('note', 'message')),
  author     text not null default '',
  body       text not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, contact_id) references contacts (tenant_id, id) on delete cascade
);
create index notes_by_contact on notes (tenant_id, contact_id, created_at);

create table messages (
  tenant_id      text not null references tenants (id) on delete cascade,
  id             text not null check (id like 'msg\_%'),
  direction      text not null check (direction in ('inbound', 'outbound')),
  channel        text not null default 'sms' check (channel in ('sms')),
  from_number    text not null,
  to_number      text not null,
  body           text not null,
  status         text not null default 'queued'
                   check (status in ('queued', 'sent', 'delivered', 'undelivered', 'failed', 'received')),
  provider_sid   text,
  contact_id     text,
  call_id        text,
  appointment_id text,
  created_at     timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, contact_id) references contacts (tenant_id, id) on delete set null (contact_id)
);
create index messages_by_contact on messages (tenant_id, contact_id, created_at);
create index messages_by_provider_sid on messages (provider_sid) where provider_sid is not null;

alter table calls
  add column contact_id text,
  -- Which rule found the contact: phone, further_phone, email, created, ambiguous, withheld.
  add column contact_match text,
  add foreign key (tenant_id, contact_id) references contacts (tenant_id, id) on delete set null (contact_id);
create index calls_by_contact on calls (tenant_id, contact_id, started_at) where contact_id is not null;
create index calls_by_conversation on calls (conversation_id) where conversation_id is not null;

create table tool_calls (
  tenant_id    text not null,
  call_id      text not null,
  ordinal      integer not null check (ordinal >= 0),
  tool_call_id text not null,
  name         text not null,
  parameters   jsonb not null,
  result       jsonb not null,
  is_error     boolean not null,
  started_ms   bigint not null,
  took_ms      bigint not null,
  primary key (tenant_id, call_id, ordinal),
  foreign key (tenant_id, call_id) references calls (tenant_id, id) on delete cascade
);

create table call_outcomes (
  tenant_id           text not null,
  call_id             text not null,
  category            text not null check (category in
                        ('appointment_booked', 'rescheduled', 'cancelled', 'message_taken', 'transferred',
                         'information_given', 'voicemail', 'wrong_number', 'abandoned', 'failed', 'other')),
  confidence          real not null check (confidence between 0 and 1),
  reason              text not null,
  follow_up           boolean not null default false,
  follow_up_reason    text not null default '',
  contact_id          text,
  appointment_id      text,
  -- Where a confirmation goes: the number the caller gave in the call, else the one they called from.
  confirmation_number text,
  -- Later, from the agent's provider: never needed for the record to stand.
  summary             text,
  evaluation          jsonb,
  collected           jsonb,
  enriched_from       text check (enriched_from in ('webhook', 'poll')),
  enriched_at         timestamptz,
  quarantine          jsonb,
  created_at          timestamptz not null default now(),
  primary key (tenant_id, call_id),
  foreign key (tenant_id, call_id) references calls (tenant_id, id) on delete cascade,
  foreign key (tenant_id, contact_id) references contacts (tenant_id, id) on delete set null (contact_id),
  foreign key (tenant_id, appointment_id) references appointments (tenant_id, id) on delete set null (appointment_id)
);
create index call_outcomes_by_follow_up on call_outcomes (tenant_id, created_at) where follow_up;

-- Another system that a tenant wants told. `secret` is ciphertext of the vault.
create table integrations (
  tenant_id  text not null references tenants (id) on delete cascade,
  id         text not null check (id like 'int\_%'),
  provider   text not null check (provider <> ''),
  name       text not null check (name <> ''),
  status     text not null default 'active' check (status in ('active', 'needs_reauth', 'disabled')),
  settings   jsonb not null default '{}' check (jsonb_typeof(settings) = 'object'),
  secret     text,
  -- Empty: everything.
  events     text[] not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  constraint integrations_name_key unique (tenant_id, name)
);

-- The keys that a tenant's secrets are encrypted with, each wrapped by a master key that never comes here.
create table tenant_keys (
  tenant_id  text not null references tenants (id) on delete cascade,
  id         text not null check (id like 'key\_%'),
  master_id  text not null,
  wrapped    text not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);

-- What must still be told to whom. Written in the transaction that makes it true.
create table outbox (
  tenant_id      text not null references tenants (id) on delete cascade,
  id             text not null check (id like 'obx\_%'),
  sequence       bigint generated always as identity,
  -- 'sms', or an integration of the tenant.
  target         text not null check (target in ('sms', 'integration')),
  integration_id text,
  event          text not null,
  -- Rows with the same key reach one target in their order: the contact, else the call.
  order_key      text not null,
  -- The same thing is never queued twice: event, what it is about, target.
  dedupe_key     text not null,
  call_id        text,
  contact_id     text,
  payload        jsonb not null,
  status         text not null default 'waiting' check (status in ('waiting', 'leased', 'done', 'parked')),
  attempts       integer not null default 0,
  next_at        timestamptz not null default now(),
  lease_until    timestamptz,
  -- Grows with every lease: an old holder's word no longer counts.
  fence          bigint not null default 0,
  parked_reason  text,
  remote_id      text,
  created_at     timestamptz not null default now(),
  done_at        timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, integration_id) references integrations (tenant_id, id) on delete cascade,
  constraint outbox_dedupe_key unique (tenant_id, dedupe_key),
  check ((target = 'integration') = (integration_id is not null)),
  check ((status = 'leased') = (lease_until is not null)),
  check ((status = 'parked') = (parked_reason is not null))
);
create index outbox_due on outbox (next_at) where status = 'waiting';
create index outbox_leases on outbox (lease_until) where status = 'leased';
create index outbox_order on outbox (tenant_id, order_key, sequence) where status in ('waiting', 'leased');
-- What waits for one target, in its order, without those that are through.
create index outbox_queue on outbox (tenant_id, (coalesce(integration_id, 'sms')), sequence)
  where status in ('waiting', 'leased');
create index outbox_by_call on outbox (tenant_id, call_id) where call_id is not null;

create table delivery_attempts (
  tenant_id   text not null,
  outbox_id   text not null,
  attempt     integer not null check (attempt > 0),
  started_at  timestamptz not null,
  took_ms     bigint not null,
  request_id  text,
  http_status integer,
  fault       text,
  remote_id   text,
  -- Without names, numbers, secrets.
  error       text,
  primary key (tenant_id, outbox_id, attempt),
  foreign key (tenant_id, outbox_id) references outbox (tenant_id, id) on delete cascade
);

create table external_links (
  tenant_id      text not null,
  integration_id text not null,
  kind           text not null check (kind in ('contact', 'appointment', 'lead', 'call', 'note')),
  our_id         text not null,
  remote_id      text not null check (remote_id <> ''),
  created_at     timestamptz not null default now(),
  primary key (tenant_id, integration_id, kind, our_id),
  foreign key (tenant_id, integration_id) references integrations (tenant_id, id) on delete cascade
);

-- Everything that comes in from outside, once. The tenant may be unknown until it has been read.
create table inbox (
  source      text not null,
  key         text not null,
  tenant_id   text references tenants (id) on delete cascade,
  body        bytea,
  status      text not null default 'received' check (status in ('received', 'applied', 'quarantined')),
  error       text,
  received_at timestamptz not null default now(),
  applied_at  timestamptz,
  primary key (source, key)
);
create index inbox_to_apply on inbox (received_at) where status = 'received';

-- Never changed, never deleted but with the tenant; each hash covers the one before.
create table audit_entries (
  tenant_id text not null references tenants (id) on delete cascade,
  ordinal   bigint not null,
  at        timestamptz not null default now(),
  actor     text not null,
  action    text not null,
  subject   text not null,
  detail    jsonb not null default '{}',
  hash      text not null,
  primary key (tenant_id, ordinal)
);
