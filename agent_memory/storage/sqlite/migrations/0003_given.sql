-- What was given with a memory, and what is the default; the writer's clock; documents that were read from files.
alter table memory add column utc_offset integer;    -- seconds east of UTC, of the writer's clock; null: UTC
alter table memory add column session_given integer; -- 1: the session was named for this memory
alter table memory add column ttl_given integer;     -- 1: its end, or that it has none, was named
alter table semantic add column path text;           -- the file that its document was read from
create index semantic_path on semantic (path) where path is not null;

-- Times are text of fixed width, which orders by itself. The number that these indexes held before was SQLite's own,
-- and it rounds fractions of a second differently from version to version.
-- (`renewing.py` makes them anew, in a large file not before it has answered.)
drop index memory_owed;
drop index memory_pinned;
drop index memory_created;

drop view semantic_memory;
create view semantic_memory as select memory.id, memory.content, memory.status, semantic.document_id, semantic.title,
  semantic.position, semantic.path, memory.source, memory.created_at
  from memory join semantic on semantic.memory = memory.pk;

-- Checksums of the rows that had none: BLAKE2b, 8 bytes, over the row's other columns. Null: of an earlier version.
alter table operation add column checksum blob;
alter table usage add column checksum blob;
alter table setting add column checksum blob;
alter table embedding_space add column checksum blob;
alter table bookkeeping add column checksum blob;
-- Up to this operation a missing checksum is no fault.
insert into bookkeeping (name, value) select 'without_checksum', coalesce(max(seq), 0) from operation;
