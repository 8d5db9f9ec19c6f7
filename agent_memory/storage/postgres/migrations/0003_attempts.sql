-- Texts whose embedding was begun and is not whole, or failed, with the reason; and the vectors that are kept of them
-- until they are whole: float32, those of several pieces one after the other, the first being number `first`.
create table embedding_attempt (
  agent bigint not null,
  space integer not null,
  text_hash bytea not null,
  kept integer not null,               -- how many vectors
  segment integer not null,            -- where embedding goes on
  piece integer not null,
  reason text collate "C",             -- null: nothing has gone wrong
  failed_at timestamptz,
  primary key (agent, space, text_hash),
  foreign key (agent, space) references embedding_space (agent, id) on delete cascade
);
create table embedding_part (
  agent bigint not null,
  space integer not null,
  text_hash bytea not null,
  first integer not null,
  vectors bytea not null,
  primary key (agent, space, text_hash, first),
  foreign key (agent, space, text_hash) references embedding_attempt (agent, space, text_hash) on delete cascade
);
