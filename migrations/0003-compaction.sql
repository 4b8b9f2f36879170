-- Where a journal begins whose oldest rows have been removed, and what of them is still there.

-- One row for an account that has been cut: rows up to n are gone, but for those that are carried.
create table bulkhead.anchors (
  account text primary key,
  n       bigint not null,
  anchor  json not null
);

-- Rows below the anchor that the state at the anchor consists of. They still stand in bulkhead.journal; the hash
-- of the row before each, which its own hash covers, stands here.
create table bulkhead.carried (
  account       text not null,
  n             bigint not null,
  actor         text not null,
  hash          text not null,
  previous_hash text not null,
  primary key (account, n)
);

-- What people still want to know of removed rows: trades, orders, fills, the wallet; without the snapshots.
create table bulkhead.kept (
  like bulkhead.journal including defaults,
  primary key (account, n)
);
create index on bulkhead.kept (account, actor, seq);

-- Housekeeping of a server's autovacuum, in shares of what a journal is. The journal grows and loses its oldest rows a
-- little at a time; the lease's one row is a new version with each append.
alter table bulkhead.journal set (
  autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05,
  autovacuum_analyze_scale_factor = 0.05, toast.autovacuum_vacuum_scale_factor = 0.02);
alter table bulkhead.leases set (
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_analyze_scale_factor = 0,
  autovacuum_analyze_threshold = 20000, autovacuum_vacuum_cost_delay = 0);
alter table bulkhead.live_actors set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
