-- Every version of an account's configuration, the newest in force: written once, never changed. What it says is
-- whole and without secrets; `source` is what the file, the variables and the flags said when it was written.
create table bulkhead.config_versions (
  account text not null,
  version bigint not null,
  at      bigint not null,
  by      text not null,
  channel text not null,
  why     text not null,
  request text not null,
  n       bigint not null,
  config  json not null,
  source  json not null,
  diff    json not null,
  primary key (account, version)
);
