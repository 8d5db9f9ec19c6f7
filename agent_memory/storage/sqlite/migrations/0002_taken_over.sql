-- What was taken over from another store keeps the time at which it was done there.
alter table journal add column at text; -- null: when the operation began

drop view history;
create view history as select journal.seq, journal.memory_id, journal.verb, operation.verb as command, operation.actor,
  operation.session, coalesce(journal.at, operation.started_at) as at, journal.before, journal.after, journal.change_id,
  journal.parent_id
  from journal join operation on operation.seq = journal.operation;
