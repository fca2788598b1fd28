-- The index behind `appointments_overlap` only forbids; no query may be planned over it. PostgreSQL 15 (seen with 15.18) loses
-- entries of a GiST index when one query scans it several times while its first page splits: what the earlier scans found
-- dead on that page is marked dead by position on a new one, and the rows that are there now can be booked twice. A search
-- for free times is such a query. A check of the constraint scans once and is safe.
-- So its key and its condition are expressions that no query has, and the planner cannot match them.
alter table appointments
  drop constraint appointments_overlap,
  add column stands boolean not null generated always as (status in ('held', 'unconfirmed', 'confirmed')) stored,
  add constraint appointments_overlap exclude using gist
    ((tenant_id || '/' || calendar) with =, tstzrange(starts_at, ends_at) with &&) where (stands);
