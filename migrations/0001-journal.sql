-- The journal of every account in this database, its leases, and small facts about the installation.

-- One row per account: who may write (fenced by epoch) and where the journal ends. Every append updates it,
-- which is the lock, the fence and the contiguity check in one. Room in the page keeps those updates in place.
create table bulkhead.leases (
  account    text primary key,
  owner      text,
  epoch      bigint not null default 0,
  expires_at timestamptz,
  head_n     bigint not null default 0,
  head_hash  text not null,
  settled_n  bigint not null default 0
) with (fillfactor = 20);

-- json, not jsonb: the texts are covered by the hash chain and must come back byte for byte.
create table bulkhead.journal (
  account  text not null,
  n        bigint not null,
  epoch    bigint not null,
  actor    text not null,
  seq      bigint not null,
  at       bigint not null,
  kind     text not null,
  machine  text not null,
  event    json not null,
  cause    json not null,
  snapshot json,
  intents  json not null,
  host     json not null,
  note     text,
  final    boolean not null,
  hash     text not null,
  primary key (account, actor, seq),
  unique (account, n)
);

-- Actors without a final row: recovery reads their last rows and nothing else.
create table bulkhead.live_actors (
  account text not null,
  actor   text not null,
  primary key (account, actor)
);

create table bulkhead.meta (
  account text not null,
  key     text not null,
  value   text not null,
  primary key (account, key)
);
