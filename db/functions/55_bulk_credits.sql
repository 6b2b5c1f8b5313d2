-- Writes the credits among a chunk's rows, all of them by one statement: rows whose account is active,
-- owes nothing, has nothing due and gets nothing but credits here. They become what points_post would
-- have made of them one by one: ptx, lot, event, deliveries, the account's balance and dates. The locks
-- of all accounts are held. `others`: the lines it left alone, for points_post to judge. A row that is written
-- already is among them.
drop function if exists bulk_credit(text, text, text, jsonb, timestamptz);
create or replace function bulk_credit(
  p_workspace text, p_bulk text, p_batch text, p_rows jsonb, p_at timestamptz,
  out posted int, out others int[]
)
language plpgsql as $$
declare
  -- Read under the locks: later than any id on these accounts. The rows' ids are a microsecond
  -- apart from here on, so that they sort as the lines do; writing a row takes many of those.
  from_here timestamptz := clock_timestamp();
begin
  with rules as materialized (
    select p.id, p as program, points_expiry(p, p_at) as due,
      p.expiry_reset_on_activity and p.expiry_mode <> 'never' as extends
    from program p where p.workspace = p_workspace
  ),
  given as materialized (
    select r.line, r.account, r.amount, r.reason, r.expires_at, r.metadata, p.id as program,
      coalesce(r.expires_at, p.due) as due, p.extends and r.expires_at is null as extends,
      p_bulk || ':' || r.line as operation,
      expiry_check_at(p.program, coalesce(r.expires_at, p.due), p_at) as next_check,
      vinr_id_after('ptx', from_here, row_number() over (order by r.line)) as id,
      a.balance + sum(r.amount) over (partition by r.account order by r.line) as balance_after,
      a.lifetime_points + sum(r.amount) over (partition by r.account order by r.line) as lifetime_after,
      a.status = 'active' and a.merged_into is null and a.balance >= 0 and r.amount > 0
        and coalesce(a.lots_due_from > p_at, true) and coalesce(r.expires_at, p.due, 'infinity') > p_at as simple
    from jsonb_to_recordset(p_rows)
      as r (line int, account text, amount bigint, reason text, expires_at timestamptz, metadata jsonb)
    left join account a on a.workspace = p_workspace and a.id = r.account
    left join rules p on p.id = a.program
  ),
  judged as materialized (
    select g.*, coalesce(bool_and(g.simple and g.lifetime_after <= 9007199254740991 and not exists (
      select from ptx t where t.workspace = p_workspace and t.operation = g.operation
    )) over (partition by g.account), false) as plain
    from given g
  ),
  good as materialized (select * from judged where plain),
  movements as (
    insert into ptx (workspace, id, account, program, type, amount, balance_after, reason, operation, fingerprint,
      batch, expires_at, metadata, at, created_at)
    select p_workspace, id, account, program, 'adjust', amount, balance_after, reason, operation, p_bulk,
      p_batch, due, metadata, p_at, clock_timestamp()
    from good
  ),
  lots as (
    insert into lot (workspace, id, account, points, remaining, earned_at, expires_at, extends_with_activity)
    select p_workspace, id, account, amount, amount, p_at, due, extends from good
  ),
  events as (
    insert into event (workspace, id, type, object, created_at)
    select p_workspace, 'evt' || substr(id, 4), 'loyalty.points.earned', id, p_at from good
  ),
  deliveries as (
    insert into webhook_delivery (workspace, id, endpoint, event, next_attempt_at, created_at)
    select p_workspace, vinr_id('dlv'), w.id, 'evt' || substr(g.id, 4), clock_timestamp(), clock_timestamp()
    from webhook_endpoint w cross join good g
    where w.workspace = p_workspace and w.status = 'enabled' and w.enabled_events && event_names('loyalty.points.earned')
  ),
  sums as materialized (
    select account, sum(amount)::bigint as amount, min(due) as due, min(next_check) as next_check,
      bool_or(extends) as extends
    from good group by account
  ),
  balances as (
    update account a set
      balance = a.balance + s.amount,
      lifetime_points = a.lifetime_points + s.amount,
      lots_due_from = least(a.lots_due_from, s.due),
      activity_extends_to = case when s.extends then greatest(a.activity_extends_to, 'epoch') else a.activity_extends_to end,
      expiry_wake_at = least(a.expiry_wake_at, s.next_check)
    from sums s where a.workspace = p_workspace and a.id = s.account
  )
  select (select count(*) from good), array(select line from judged where not plain order by line)
  into posted, others;
  if exists (select from webhook_endpoint where workspace = p_workspace and status = 'enabled') then
    perform set_config('vinr.deliveries', 'written', true);
  end if;
  if exists (select from program where workspace = p_workspace and tier_config is not null) then
    perform bulk_credit_tiers(p_workspace, p_rows, others, p_at);
  end if;
end $$;

-- What many credits at once mean for their members' tiers: judged once for each, by all of them.
create or replace function bulk_credit_tiers(p_workspace text, p_rows jsonb, p_others int[], p_at timestamptz) returns void
language plpgsql as $$
declare
  one record;
begin
  for one in
    select distinct a.id, p as program
    from jsonb_to_recordset(p_rows) as r (line int, account text)
    join account a on a.workspace = p_workspace and a.id = r.account
    join program p on p.workspace = a.workspace and p.id = a.program and p.tier_config is not null
    where r.line <> all (p_others)
    order by a.id
  loop
    perform tier_after_credit(p_workspace, one.id, one.program, greatest(p_at, clock_timestamp()));
  end loop;
end $$;
