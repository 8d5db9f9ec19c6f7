-- What was given with a memory, and what is the default; the writer's clock; documents that were read from files.
alter table memory add column utc_offset integer;                          -- seconds east of UTC; null: UTC
alter table memory add column session_given boolean not null default false; -- the session was named for this memory
alter table memory add column ttl_given boolean not null default false;     -- its end, or that it has none, was named
alter table semantic add column path text collate "C";                     -- the file that its document was read from
create index semantic_path on semantic (agent, path) where path is not null;

-- `layout` is the number of the form that an agent's memories are in (`storage.renewal`); beside it, whose rules the
-- words are indexed by. Memories at places above `renewed_up_to`, up to `outdated_up_to`, have those of an older one.
alter table agent add column analyser integer not null default 1;
alter table agent add column renewed_up_to bigint not null default 0;
alter table agent add column outdated_up_to bigint not null default 0;
