-- An agent with many vectors has a table of its own for the HNSW index over those of one embedding space:
-- `embedding_hnsw_AGENT_SPACE`, with the number of each vector (see `embedding`) and the vector. It is derived.
alter table agent
  add column hnsw_space integer,            -- of which space there is such a table; null: there is none
  add column hnsw_state text collate "C";   -- copying, indexing (all is copied, and kept up by writers) or live
