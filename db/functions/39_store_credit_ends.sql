-- The part of a redemption's credit that goes with so many of its points: in proportion, rounded up,
-- all of it at the end. A gift took no points: none of it goes, until all of it does.
create or replace function credit_share(c credit, d redemption, p_points bigint) returns bigint
language sql immutable as $$
  select case when d.points = 0 then 0 else ceil(c.amount::numeric * p_points / d.points)::bigint end
$$;

-- What the next reversal, of so many points, takes of the credit.
create or replace function credit_next_share(c credit, d redemption, p_points bigint) returns bigint
language sql immutable as $$
  select case when d.points = 0 then c.amount
    else credit_share(c, d, d.reversed_points + p_points) - credit_share(c, d, d.reversed_points) end
$$;

-- Why a redemption of store credit cannot be reversed by so many points: that share of the money was
-- spent or has expired. Null where it can. `available` is how many points can be (smallest unit).
create or replace function credit_reversal_refusal(d redemption, p_points bigint, p_at timestamptz) returns jsonb
language plpgsql stable as $$
declare
  c credit;
  remaining bigint;
  taken bigint;
begin
  select * into c from credit where workspace = d.workspace and id = 'crd_' || substr(d.id, 5);
  remaining := case when c.expires_at <= p_at then 0 else c.remaining end;
  taken := credit_share(c, d, d.reversed_points);
  if c.id is null or credit_next_share(c, d, p_points) <= remaining then
    return null;
  end if;
  return jsonb_build_object('code', 'not_reversible', 'credit', c.id, 'currency', c.currency, 'remaining', remaining,
    'available', div((remaining + taken)::numeric * d.points, c.amount)::bigint - d.reversed_points);
end $$;

-- Takes back the share of the credit that goes with so many points of its redemption.
create or replace function credit_reverse(d redemption, p_points bigint, p_at timestamptz) returns void
language plpgsql as $$
declare
  c credit;
  share bigint;
begin
  select * into c from credit where workspace = d.workspace and id = 'crd_' || substr(d.id, 5);
  share := credit_next_share(c, d, p_points);
  if share > 0 then
    perform credit_post(c, 'reverse', -share, 'reverse:' || d.id || ':' || d.reversed_points + p_points, p_at,
      jsonb_build_object('redemption', d.id));
  end if;
end $$;

-- A merge brings the source's credits to the survivor, by a minus and a plus row for each that has
-- something left; spent ones follow as well, so that what comes back comes to the survivor.
create or replace function credit_merge(s account, t account, p_at timestamptz) returns void
language plpgsql as $$
declare
  c credit;
  moved bigint;
begin
  for c in select * from credit where workspace = s.workspace and account = s.id order by id loop
    moved := c.remaining;
    if moved > 0 then
      perform credit_post(c, 'merge', -moved, 'merge:out:' || s.id || ':' || c.id, p_at);
    end if;
    update credit set account = t.id where workspace = s.workspace and id = c.id returning * into c;
    if moved > 0 then
      perform credit_post(c, 'merge', moved, 'merge:into:' || s.id || ':' || c.id, p_at);
    end if;
  end loop;
end $$;

-- What a program owes in store credit as of an instant (event time; null: now), by currency, in minor
-- units: outstanding = issued - spent - expired - reversed. What is due and only not yet written off
-- counts as expired. Null where there is no such program.
create or replace function credit_liability(p_workspace text, p_program text, p_at timestamptz) returns jsonb
language plpgsql stable as $$
declare
  as_of timestamptz := coalesce(p_at, clock_timestamp());
begin
  perform set_config('vinr.workspace', p_workspace, true);
  if not exists (select from program where workspace = p_workspace and id = p_program) then
    return null;
  end if;
  return jsonb_build_object('as_of', as_of, 'currencies', (
    select coalesce(jsonb_agg(jsonb_build_object('currency', x.currency, 'outstanding', x.issued - x.spent - x.expired - x.reversed,
      'issued', x.issued, 'spent', x.spent, 'expired', x.expired, 'reversed', x.reversed) order by x.currency), '[]')
    from (
      select m.currency,
        coalesce(sum(m.amount) filter (where m.type = 'issue'), 0)::bigint as issued,
        coalesce(-sum(m.amount) filter (where m.type in ('spend', 'return')), 0)::bigint as spent,
        coalesce(-sum(m.amount) filter (where m.type = 'expire'), 0)::bigint as expired,
        coalesce(-sum(m.amount) filter (where m.type = 'reverse'), 0)::bigint as reversed
      from (
        select currency, type, amount from credit_transaction
        where workspace = p_workspace and program = p_program and at <= as_of
        union all
        select currency, 'expire', -remaining from credit
        where workspace = p_workspace and program = p_program and remaining > 0
          and expires_at <= least(as_of, clock_timestamp())
      ) m
      group by m.currency
    ) x));
end $$;

-- Members with store credit that is due, across workspaces; the longest overdue first.
drop function if exists net_due_credits(timestamptz, int);
create or replace function net_due_credits(p_before timestamptz, p_limit int, p_skip int default 0)
returns table (workspace text, account text)
language sql stable security definer set search_path = public as $$
  select c.workspace, c.account from credit c
  where c.remaining > 0 and c.expires_at <= p_before
  group by c.workspace, c.account
  order by min(c.expires_at), c.workspace, c.account limit p_limit offset p_skip
$$;

-- What a member has by currency, and what of it expires when, soonest first; what is due counts as
-- expired. An account that was merged is answered with its survivor's. Null where there is none.
create or replace function credit_wallets(p_workspace text, p_account text) returns jsonb
language plpgsql stable as $$
declare
  member text;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  member := account_survivor(p_workspace, p_account);
  if member is null then
    return null;
  end if;
  return jsonb_build_object('account', member, 'wallets', (
    select coalesce(jsonb_agg(jsonb_build_object('currency', w.currency, 'balance', w.balance - due.amount,
      'expiring', dated.credits) order by w.currency), '[]')
    from credit_wallet w
    cross join lateral (
      select coalesce(sum(c.remaining), 0) as amount from credit c
      where c.workspace = w.workspace and c.account = w.account and c.currency = w.currency and c.remaining > 0
        and c.expires_at <= clock_timestamp()
    ) due
    cross join lateral (
      select coalesce(jsonb_agg(jsonb_build_object('credit', c.id, 'amount', c.remaining, 'expires_at', c.expires_at)
        order by c.expires_at, c.id), '[]') as credits
      from credit c
      where c.workspace = w.workspace and c.account = w.account and c.currency = w.currency and c.remaining > 0
        and c.expires_at > clock_timestamp()
    ) dated
    where w.workspace = p_workspace and w.account = member));
end $$;
