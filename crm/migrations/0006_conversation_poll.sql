-- What the agent's provider knows of a call is asked for when no webhook has brought it.

alter table call_outcomes
  -- Null: not asked yet.
  add column next_poll_at timestamptz,
  add column polls integer not null default 0,
  -- Why nobody asks any more, although nothing was learned.
  add column poll_ended text;
create index call_outcomes_to_poll on call_outcomes (created_at) where enriched_at is null and poll_ended is null;

-- What only the provider tells of a call whose gateway was lost: nobody has measured what was heard of it.
alter table call_turns add column from_provider boolean not null default false;

-- What is done is forgotten when it is old, and what waits is counted.
create index outbox_done on outbox (done_at) where status = 'done';
create index outbox_parked on outbox (tenant_id) where status = 'parked';
create index inbox_settled on inbox (received_at) where status <> 'received';
