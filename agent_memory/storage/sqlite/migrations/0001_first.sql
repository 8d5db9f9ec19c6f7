-- The first schema. A memory is a row of `memory` and a row of the table named after its type;
-- the views join the two. Times are ISO-8601 text in UTC of fixed width, so text order is time order.
-- A checksum is BLAKE2b (8 bytes) over the row's other columns (`rows.py`, `vectors.py`).

create table memory (
  pk integer primary key,
  id text not null unique,            -- the public one
  type text not null check (type in ('short_term', 'long_term', 'conversation', 'episodic', 'semantic', 'procedural')),
  content text not null,
  importance real not null check (importance between 0 and 1),
  created_at text not null,
  updated_at text,                     -- null until it is changed
  occurred_at text,                    -- when it happened, if not when it was stored
  expires_at text,                     -- from this moment on it is never returned
  key text,
  source text,
  session text,
  status text not null check (status in ('active', 'archived', 'superseded')),
  pinned integer not null default 0 check (pinned in (0, 1)),
  metadata text not null default '{}',
  content_hash blob not null,          -- equal for exact duplicates
  embedded_hash blob not null,         -- of the text that is embedded: the key into `embedding`
  revision text not null,              -- the change that made this version
  checksum blob not null,              -- of everything above, and of the tags
  embedded_in integer                  -- bookkeeping: the embedding space that has this text's vectors
);
create unique index memory_key on memory (type, key) where key is not null and status = 'active';
create index memory_named on memory (key) where key is not null;
create index memory_hash on memory (content_hash) where status = 'active';
create index memory_embedded on memory (embedded_hash);
create index memory_owed on memory (unixepoch(created_at) * 1000000 + substr(created_at, 21, 6)) where embedded_in is null and status = 'active';
create index memory_pinned on memory (unixepoch(created_at) * 1000000 + substr(created_at, 21, 6)) where pinned = 1;
-- Microseconds since 1970, which order as the text does in a quarter of its bytes.
create index memory_created on memory (unixepoch(created_at) * 1000000 + substr(created_at, 21, 6));
create index memory_session on memory (session) where session is not null;
create index memory_expiry on memory (expires_at) where expires_at is not null;

create table memory_tag (
  memory integer not null references memory (pk) on delete cascade,
  tag text not null,
  primary key (memory, tag)
) without rowid;
create index memory_tag_tag on memory_tag (tag);

create table usage (
  memory integer primary key references memory (pk) on delete cascade,
  accessed_at text not null,
  access_count integer not null
);

create table short_term (
  memory integer primary key references memory (pk) on delete cascade,
  kind text not null, context_type text, value text, checksum blob not null
);
create table long_term (
  memory integer primary key references memory (pk) on delete cascade,
  kind text not null, category text, superseded_by text, checksum blob not null
);
create table conversation (
  memory integer primary key references memory (pk) on delete cascade,
  kind text not null, conversation_id text not null, role text not null, name text, position integer,
  checksum blob not null
);
create index conversation_position on conversation (conversation_id, position);
create table episodic (
  memory integer primary key references memory (pk) on delete cascade,
  event_type text not null, outcome text, success integer, participants text, location text, duration real,
  checksum blob not null
);
create index episodic_type on episodic (event_type);
create table semantic (
  memory integer primary key references memory (pk) on delete cascade,
  document_id text, title text, position integer, checksum blob not null
);
create index semantic_document on semantic (document_id) where document_id is not null;
create table procedural (
  memory integer primary key references memory (pk) on delete cascade,
  kind text not null, name text not null, category text, triggers text, steps text,
  use_count integer not null, success_count integer not null, last_used_at text, checksum blob not null
);
create index procedural_name on procedural (name);

create view short_term_memory as select memory.id, memory.content, memory.status, memory.key, short_term.kind,
  short_term.context_type, short_term.value, memory.importance, memory.created_at, memory.expires_at
  from memory join short_term on short_term.memory = memory.pk;
create view long_term_memory as select memory.id, memory.content, memory.status, long_term.kind, long_term.category,
  memory.key, memory.importance, memory.source, memory.created_at
  from memory join long_term on long_term.memory = memory.pk;
create view conversation_memory as select memory.id, conversation.conversation_id, conversation.position,
  conversation.role, conversation.name, memory.content, memory.status, conversation.kind,
  coalesce(memory.occurred_at, memory.created_at) as happened_at
  from memory join conversation on conversation.memory = memory.pk;
create view episodic_memory as select memory.id,
  coalesce(memory.occurred_at, memory.created_at) as happened_at, episodic.event_type, memory.content,
  episodic.outcome, episodic.success, episodic.participants, episodic.location, episodic.duration, memory.status
  from memory join episodic on episodic.memory = memory.pk;
create view semantic_memory as select memory.id, memory.content, memory.status, semantic.document_id, semantic.title,
  semantic.position, memory.source, memory.created_at
  from memory join semantic on semantic.memory = memory.pk;
create view procedural_memory as select memory.id, procedural.name, memory.content, procedural.kind,
  procedural.category, procedural.triggers, procedural.steps, procedural.use_count, procedural.success_count,
  memory.status from memory join procedural on procedural.memory = memory.pk;

-- Words: the analysed text (folded, scripts without spaces cut into pairs), not the text itself.
create virtual table memory_fts using fts5(words, tokenize = 'porter unicode61');

create table embedding_space (
  id integer primary key,
  provider text not null, model text not null, revision text not null, dimension integer not null,
  pooling text not null, query_prefix text not null, document_prefix text not null,
  recipe integer not null,             -- which template made the embedded text
  fingerprint text not null,
  created_at text not null,
  current integer not null default 0 check (current in (0, 1)),
  unique (fingerprint, recipe)
);
create unique index embedding_space_current on embedding_space (current) where current = 1;

-- Vectors: unit length, little-endian. A text of several pieces has several rows.
create table embedding (
  id integer primary key,
  space integer not null references embedding_space (id),
  text_hash blob not null,
  piece integer not null,
  dtype text not null default 'float32' check (dtype in ('float32', 'float16')),
  dimension integer not null,
  vector blob not null,
  checksum blob not null,
  unique (space, text_hash, piece),
  check (length(vector) = dimension * case dtype when 'float32' then 4 else 2 end)
);

create table setting (name text primary key, value text not null) without rowid;

-- `memory_vec` is sqlite-vec's index over the vectors of active memories: the signs of their numbers, its rowid
-- being embedding.id. The first process that has the extension makes it; it may be dropped at any time. What a
-- process without the extension could not bring up to date in it waits here.
create table memory_vec_pending (embedding integer primary key);

-- What the program keeps in mind about derived tables.
create table bookkeeping (name text primary key, value integer not null) without rowid;

create table operation (
  seq integer primary key,
  id text not null unique,
  verb text not null,
  actor text,
  session text,
  started_at text not null,
  undoes text
);
create index operation_undoes on operation (undoes) where undoes is not null;

create table journal (
  seq integer primary key,
  change_id text not null,             -- the same in every copy of the file
  parent_id text,                      -- the change it was made upon
  hlc integer not null,                -- microseconds, strictly increasing in one file
  operation integer not null references operation (seq),
  memory_id text not null,
  verb text not null,
  before text,                         -- JSON; the id stands in memory_id
  after text,
  checksum blob not null
);
create index journal_memory on journal (substr(memory_id, 1, 6));
create index journal_operation on journal (operation);

create view history as select journal.seq, journal.memory_id, journal.verb, operation.verb as command, operation.actor,
  operation.session, operation.started_at as at, journal.before, journal.after, journal.change_id, journal.parent_id
  from journal join operation on operation.seq = journal.operation;
