-- What a business offers: how long it takes, and in whose calendar. What is asked for under another name takes the
-- tenant's slot_minutes in the calendar 'main'.

create table services (
  tenant_id  text not null references tenants (id) on delete cascade,
  id         text not null check (id like 'svc\_%'),
  name       text not null check (name <> ''),
  minutes    integer not null check (minutes between 5 and 480),
  -- Two services in one calendar never overlap; a practitioner, a room or a team has one.
  calendar   text not null default 'main' check (calendar <> ''),
  status     text not null default 'active' check (status in ('active', 'inactive')),
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
-- Callers do not spell it as it was written down.
create unique index services_name_key on services (tenant_id, lower(name));

alter table services enable row level security;
alter table services force row level security;
create policy of_tenant on services to switchboard_app
  using (tenant_id = nullif(current_setting('switchboard.tenant', true), ''));
grant select, insert, update, delete on services to switchboard_app;
create policy of_all on services to switchboard_system using (true);
grant select, insert, update, delete on services to switchboard_system;
