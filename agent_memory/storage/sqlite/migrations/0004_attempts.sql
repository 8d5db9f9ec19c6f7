-- Texts whose embedding was begun and is not whole, or failed, with the reason; and the vectors that are kept of them
-- until they are whole: float32, those of several pieces one after the other, the first being number `first`.
create table embedding_attempt (
  space integer not null references embedding_space (id),
  text_hash blob not null,
  kept integer not null,               -- how many vectors
  segment integer not null,            -- where embedding goes on
  piece integer not null,
  reason text,                         -- null: nothing has gone wrong
  failed_at text,
  checksum blob not null,
  primary key (space, text_hash)
) without rowid;
create table embedding_part (
  id integer primary key,
  space integer not null references embedding_space (id),
  text_hash blob not null,
  first integer not null,
  vectors blob not null,
  checksum blob not null,
  unique (space, text_hash, first)
);
