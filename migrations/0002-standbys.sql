-- Who stands by to take an account over: a word that each renews every second, for people and for a leader that
-- hands over. Nothing depends on it for safety: that is the lease's.
create table bulkhead.standbys (
  account text not null,
  owner   text not null,
  word    json not null,
  seen_at timestamptz not null default clock_timestamp(),
  primary key (account, owner)
);
