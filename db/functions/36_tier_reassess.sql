-- The walk over a program's members after a change of its tiers. Where it stands is one row, so that
-- whoever goes on with it begins where the last one stopped; judging a member twice changes nothing.

-- Calls for a walk, in the transaction that changes the tiers, and writes the outbox row of its run. One under
-- way starts over.
create or replace function tier_reassess_begin(p_workspace text, p_program text, p_at timestamptz) returns void
language sql as $$
  insert into tier_reassessment as r (workspace, program, progressed_at) values (p_workspace, p_program, p_at)
  on conflict (workspace, program) do update
  set revision = r.revision + 1, through = '', judged = 0, progressed_at = p_at, ended_at = null;
  select tier_reassess_outbox(p_workspace, p_program)
$$;

-- Writes that the run of a program's walk must look at where it stands, or begin again where it was lost.
create or replace function tier_reassess_outbox(p_workspace text, p_program text) returns void
language plpgsql as $$
begin
  perform set_config('vinr.workspace', p_workspace, true);
  perform outbox_write(p_workspace, p_workspace || '/' || p_program || '/tiers', 'tierReassessment',
    jsonb_build_object('workspace', p_workspace, 'program', p_program), null, '{}', null, 'changed');
end $$;

-- The next members to judge, in id order; `accounts` is empty at the end of the walk. Outcomes: open; ended
-- (or never called for). Writes nothing.
create or replace function tier_reassess_page(p_workspace text, p_program text, p_most int) returns jsonb
language plpgsql as $$
declare
  r tier_reassessment;
  page jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into r from tier_reassessment where workspace = p_workspace and program = p_program;
  if r.program is null or r.ended_at is not null then
    return jsonb_build_object('outcome', 'ended', 'judged', coalesce(r.judged, 0));
  end if;
  select coalesce(jsonb_agg(x.id order by x.id), '[]') into page from (
    select a.id from account a
    where a.workspace = p_workspace and a.program = p_program and a.id > r.through and a.status <> 'merged'
    order by a.id limit p_most
  ) x;
  return jsonb_build_object('outcome', 'open', 'revision', r.revision, 'judged', r.judged, 'accounts', page);
end $$;

-- Judges one member by the program's tiers as they are now: promotion at once, demotion after the grace,
-- which begins now where less counts than the tier asks for. A tier that the program no longer has is
-- replaced, or taken where it has none at all. A transaction of its own: nobody waits for a walk. Returns whether the tier changed.
create or replace function tier_reassess(p_workspace text, p_account text, p_at timestamptz) returns boolean
language plpgsql as $$
declare
  a account;
  p program;
  before text;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  perform pg_advisory_xact_lock(hashtextextended(p_workspace || p_account, 0));
  select * into a from account where workspace = p_workspace and id = p_account;
  if a.id is null or a.status = 'merged' then
    return false;
  end if;
  before := a.tier;
  select * into p from program where workspace = p_workspace and id = a.program;
  if p.tier_config is not null then
    a := tier_assess(a, p, p_at, 'reconfigured');
  elsif a.tier is not null then
    a := tier_write(a, p, null, null, 'reconfigured', null, p_at);
  end if;
  return a.tier is distinct from before;
end $$;

-- Notes how far a walk has come, or (`p_ended`) that it is over. False where the tiers were changed
-- meanwhile: the walk starts over.
create or replace function tier_reassess_note(
  p_workspace text, p_program text, p_revision int, p_through text, p_judged int, p_ended boolean, p_at timestamptz
) returns boolean
language plpgsql as $$
begin
  perform set_config('vinr.workspace', p_workspace, true);
  update tier_reassessment set through = coalesce(p_through, through), judged = judged + p_judged,
    progressed_at = p_at, ended_at = case when p_ended then p_at end
  where workspace = p_workspace and program = p_program and revision = p_revision and ended_at is null;
  return found;
end $$;

-- Walks that stand still since `p_before`, in all workspaces: nobody works on them.
drop function if exists net_stalled_reassessments(timestamptz, int);
create or replace function net_stalled_reassessments(p_before timestamptz, p_limit int, p_skip int default 0)
returns table (workspace text, program text)
language sql stable security definer set search_path = public as $$
  select r.workspace, r.program from tier_reassessment r
  where r.ended_at is null and r.progressed_at <= p_before
  order by r.progressed_at, r.workspace, r.program limit p_limit offset p_skip
$$;
