-- Rows of one tenant are invisible to another, whatever a statement forgets. Two roles: work for one tenant runs as
-- switchboard_app, with the tenant set for its transaction (Pool::transaction_of); routing, ledger, outbox and commands
-- look across tenants as switchboard_system, which the login inherits.

do $$
declare
  each text;
begin
  foreach each in array array['switchboard_app', 'switchboard_system'] loop
    if not exists (select from pg_roles where rolname = each) then
      begin
        execute format('create role %I nologin', each);
      exception
        -- Another database of this server is being migrated, too.
        when duplicate_object or unique_violation then null;
        when insufficient_privilege then
          raise exception 'the database user % may not create roles; let an administrator run: create role switchboard_app; create role switchboard_system; grant switchboard_app, switchboard_system to %;',
            current_user, quote_ident(current_user);
      end;
    end if;
    if not pg_has_role(current_user, each, 'member') then
      execute format('grant %I to %I', each, current_user);
    end if;
  end loop;
end
$$;

do $$
declare
  each record;
begin
  execute format('grant usage on schema %I to switchboard_app, switchboard_system', current_schema());
  for each in
    select c.relname as name, case c.relname when 'tenants' then 'id' else 'tenant_id' end as tenant
    from pg_class c
    where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'
      and (c.relname = 'tenants' or exists (
        select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped))
  loop
    execute format('alter table %I enable row level security', each.name);
    execute format('alter table %I force row level security', each.name);
    -- Before the first and after a transaction the setting is null or empty: then nothing is visible.
    execute format('create policy of_tenant on %I to switchboard_app using (%I = nullif(current_setting(%L, true), %L))',
                   each.name, each.tenant, 'switchboard.tenant', '');
    execute format('grant select, insert, update, delete on %I to switchboard_app', each.name);
    execute format('create policy of_all on %I to switchboard_system using (true)', each.name);
    execute format('grant select, insert, update, delete on %I to switchboard_system', each.name);
  end loop;
end
$$;

-- Who changes a number or an agent changes the routing version through a trigger.
grant select, update on routing_state to switchboard_app, switchboard_system;
revoke insert, delete on tenants from switchboard_app;
-- What has been written there stays as it is; it goes with its tenant only.
revoke update, delete on audit_entries from switchboard_app, switchboard_system;
