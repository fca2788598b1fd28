-- Tenants, who and what answers their phone, and the record of each call.
-- Every table of a tenant has the key (tenant_id, id) and references its neighbours by both columns, because foreign keys
-- and unique checks look past row-level security.

create table tenants (
  id                   text primary key check (id like 'ten\_%'),
  name                 text not null check (name <> ''),
  timezone             text not null default 'UTC' check (timezone <> ''),
  industry             text,
  status               text not null default 'active' check (status in ('active', 'suspended')),
  max_concurrent_calls integer not null default 20 check (max_concurrent_calls between 1 and 100000),
  created_at           timestamptz not null default now()
);

create table users (
  tenant_id  text not null references tenants (id) on delete cascade,
  id         text not null check (id like 'usr\_%'),
  email      text not null check (email like '_%@_%' and email = lower(email)),
  role       text not null check (role in ('owner', 'admin', 'agent', 'read-only')),
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  -- One e-mail address signs in to one tenant.
  constraint users_email_key unique (email)
);

create table contacts (
  tenant_id  text not null references tenants (id) on delete cascade,
  id         text not null check (id like 'con\_%'),
  full_name  text not null default '',
  phone_e164 text not null check (phone_e164 ~ '^\+[1-9][0-9]{6,14}$'),
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  constraint contacts_phone_key unique (tenant_id, phone_e164)
);

create table voice_agents (
  tenant_id            text not null references tenants (id) on delete cascade,
  id                   text not null check (id like 'va\_%'),
  name                 text not null check (name <> ''),
  elevenlabs_agent_id  text not null check (elevenlabs_agent_id <> ''),
  status               text not null default 'active' check (status in ('active', 'inactive')),
  start_pause_seconds  integer not null default 0 check (start_pause_seconds between 0 and 10),
  record               boolean not null default false,
  fallback_kind        text not null default 'apology' check (fallback_kind in ('forward', 'voicemail', 'apology')),
  fallback_number      text check (fallback_number ~ '^\+[1-9][0-9]{6,14}$'),
  first_message        text,
  language             text,
  max_duration_seconds integer not null default 3600 check (max_duration_seconds between 10 and 86400),
  transfer_numbers     jsonb not null default '[]' check (jsonb_typeof(transfer_numbers) = 'array'),
  dynamic_variables    jsonb not null default '{}' check (jsonb_typeof(dynamic_variables) = 'object'),
  created_at           timestamptz not null default now(),
  primary key (tenant_id, id),
  constraint voice_agents_forward_has_a_number check (fallback_kind <> 'forward' or fallback_number is not null)
);

create table phone_numbers (
  tenant_id  text not null references tenants (id) on delete cascade,
  id         text not null check (id like 'num\_%'),
  e164       text not null check (e164 ~ '^\+[1-9][0-9]{6,14}$'),
  agent_id   text not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  constraint phone_numbers_e164_key unique (e164),
  foreign key (tenant_id, agent_id) references voice_agents (tenant_id, id)
);
create index phone_numbers_by_agent on phone_numbers (tenant_id, agent_id);

-- agent_id has no foreign key on purpose: the record of a call must never be refused because its agent was removed meanwhile.
create table calls (
  tenant_id       text not null references tenants (id) on delete cascade,
  id              text not null check (id like 'call\_%'),
  agent_id        text not null,
  call_sid        text not null constraint calls_call_sid_key unique,
  account_sid     text not null,
  direction       text not null check (direction in ('inbound', 'outbound')),
  from_number     text not null,
  to_number       text not null,
  status          text not null check (status in
                    ('ringing', 'in-progress', 'completed', 'busy', 'no-answer', 'failed', 'canceled')),
  node            text not null,
  node_epoch      bigint not null,
  started_at      timestamptz not null,
  answered_at     timestamptz,
  ended_at        timestamptz,
  duration_ms     bigint,
  ending          text,
  blame           text check (blame in ('caller', 'us', 'twilio', 'agent', 'unknown')),
  conversation_id text,
  recording_path  text,
  stream_count    integer not null default 0,
  resumed         integer not null default 0,
  version         bigint not null,
  primary key (tenant_id, id)
);
create index calls_by_start on calls (tenant_id, started_at desc);
create index calls_by_start_of_all on calls (started_at desc);
create index calls_by_id on calls (id);
create index calls_open on calls (node, node_epoch) where status in ('ringing', 'in-progress');

create table call_turns (
  tenant_id    text not null,
  call_id      text not null,
  ordinal      integer not null check (ordinal >= 0),
  role         text not null check (role in ('agent', 'caller')),
  event_id     bigint,
  said         text not null,
  heard        text not null,
  interrupted  boolean not null default false,
  started_ms   bigint not null,
  generated_ms bigint,
  sent_ms      bigint,
  heard_ms     bigint,
  primary key (tenant_id, call_id, ordinal),
  foreign key (tenant_id, call_id) references calls (tenant_id, id) on delete cascade
);

create table call_events (
  tenant_id text not null,
  call_id   text not null,
  ordinal   integer not null check (ordinal >= 0),
  at        timestamptz not null,
  kind      text not null,
  detail    jsonb not null default '{}',
  primary key (tenant_id, call_id, ordinal),
  foreign key (tenant_id, call_id) references calls (tenant_id, id) on delete cascade
);

-- One row whose version grows with every change of what decides where a number leads; gateways poll it and reload only
-- then. The row lock makes versions commit in order.
create table routing_state (
  only_row boolean primary key default true check (only_row),
  version  bigint not null
);
insert into routing_state (version) values (1);

create function bump_routing_version() returns trigger language plpgsql as $$
begin
  update routing_state set version = version + 1;
  return null;
end
$$;

create trigger tenants_route after insert or update or delete or truncate on tenants
  for each statement execute function bump_routing_version();
create trigger voice_agents_route after insert or update or delete or truncate on voice_agents
  for each statement execute function bump_routing_version();
create trigger phone_numbers_route after insert or update or delete or truncate on phone_numbers
  for each statement execute function bump_routing_version();
