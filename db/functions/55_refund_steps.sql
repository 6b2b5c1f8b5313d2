-- Refunds of which a provider tells only the step of a running total (Stripe's `amount_refunded`), whose ids
-- come to light when they fail. A row is one refund; its metadata says by what it is known: `step`, that its
-- step was told; `failed_as`, the id under which its failure was; `fell`, a total that fell by its amount. Of
-- equal amounts it does not matter which is which, and so not in what order they come: as many of an amount
-- stand as there are steps of it less failures. `unlisted` marks a failure whose step is still to come.

-- A step (`id`: charge and total; `step`: its event's id). Where its failure came first it has failed. The same
-- total may be reached again, after a failure.
create or replace function refund_step_put(pay payment, r jsonb, p_at timestamptz) returns void
language plpgsql as $$
begin
  update refund set metadata = metadata - 'unlisted' || '{"step": "true"}'
  where workspace = pay.workspace and id = (
    select x.id from refund x
    where x.workspace = pay.workspace and x.payment = pay.id and x.metadata ? 'unlisted' and x.amount = (r ->> 'amount')::bigint
    order by x.created_at, x.id limit 1);
  if found then
    return;
  end if;
  perform refund_step_insert(pay,
    case when exists (select from refund where workspace = pay.workspace and id = r ->> 'id')
      then (r ->> 'id') || '_' || (r ->> 'step') else r ->> 'id' end,
    (r ->> 'amount')::bigint, p_at);
  perform refund_falls_cover(pay, p_at);
end $$;

create or replace function refund_step_insert(pay payment, p_id text, p_amount bigint, p_at timestamptz) returns void
language sql as $$
  insert into refund (workspace, id, payment, amount, metadata, created_at)
  values (pay.workspace, p_id, pay.id, p_amount, '{"step": "true"}', p_at)
$$;

-- A failure that names no refund known by its id: under an id of its own, or as a total that fell (`step`). It
-- is that of a refund of its amount that has failed already and lacks just this, else of the newest that
-- stands, else of one that is still to come. Told twice it is one.
create or replace function refund_failure_put(pay payment, r jsonb, p_at timestamptz) returns void
language plpgsql as $$
declare
  known_by text := case when r ? 'step' then 'fell' else 'failed_as' end;
begin
  if exists (
    select from refund where workspace = pay.workspace and payment = pay.id and metadata ->> known_by = r ->> 'id') then
    return;
  end if;
  update refund set status = 'failed', metadata = metadata || jsonb_build_object(known_by, r ->> 'id')
  where workspace = pay.workspace and id = (
    select x.id from refund x
    where x.workspace = pay.workspace and x.payment = pay.id and x.amount = (r ->> 'amount')::bigint
      and x.metadata ?| '{step, unlisted, fell}' and not x.metadata ? known_by
    order by x.status = 'failed' desc, x.created_at desc, x.id desc limit 1);
  if found then
    return;
  end if;
  insert into refund (workspace, id, payment, amount, status, reason, metadata, created_at)
  values (pay.workspace, r ->> 'id', pay.id, (r ->> 'amount')::bigint, 'failed', r ->> 'reason',
    jsonb_build_object('unlisted', 'true', known_by, r ->> 'id'), p_at);
  perform refund_falls_cover(pay, p_at);
end $$;

-- A total that fell by an amount of which no step is known ends the newest steps that stand, as many as it
-- takes; what they were more stands as a step of its own. It waits until there are enough.
create or replace function refund_falls_cover(pay payment, p_at timestamptz) returns void
language plpgsql as $$
declare
  f refund;
  s refund;
  owed bigint;
begin
  for f in
    select * from refund x
    where x.workspace = pay.workspace and x.payment = pay.id and x.metadata ?& '{unlisted, fell}'
      and not x.metadata ? 'failed_as'
    order by x.created_at, x.id
  loop
    owed := f.amount;
    continue when owed > (
      select coalesce(sum(x.amount), 0) from refund x
      where x.workspace = pay.workspace and x.payment = pay.id and x.metadata ? 'step' and x.status <> 'failed');
    for s in
      select * from refund x
      where x.workspace = pay.workspace and x.payment = pay.id and x.metadata ? 'step' and x.status <> 'failed'
      order by x.created_at desc, x.id desc
    loop
      exit when owed <= 0;
      update refund set status = 'failed', metadata = metadata || jsonb_build_object('fell', f.id)
      where workspace = s.workspace and id = s.id;
      owed := owed - s.amount;
    end loop;
    update refund set metadata = metadata - 'unlisted' where workspace = f.workspace and id = f.id;
    if owed < 0 then
      perform refund_step_insert(pay, f.id || '_rest', -owed, p_at);
    end if;
  end loop;
end $$;
