-- Merges `p_source` into `p_target`, for good: balance, lots with their dates, lifetime points,
-- redemptions, and the customer where the target has none. Both accounts are locked in id order; a
-- target that was merged itself stands for its survivor. The rows of the source stay as they are: a
-- minus row there and a plus row here move the balance. A deficit on one side is netted against the
-- other's lots. Where what came expires before the survivor's run looks, its run is told. Idempotent
-- by (source, target). Outcomes: merged; replayed. Refused, nothing written:
-- resource_missing, parameter_invalid (another program, the same account), account_merged (the source
-- is another's already, or the target was merged into the source), account_closed (the target),
-- redemptions_in_flight (with the pending ones of both).
create or replace function account_merge(
  p_workspace text, p_source text, p_target text, p_route text, p_key text, p_fingerprint text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  s account;
  t account;
  survivor text;
  cause text;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  if account_request(p_workspace, p_route, p_key, p_fingerprint, p_source, p_at) is not null then
    return account_outcome(p_workspace, account_survivor(p_workspace, p_source), 'replayed');
  end if;
  survivor := account_survivor(p_workspace, p_target);
  perform pg_advisory_xact_lock(hashtextextended(p_workspace || one.id, 0))
  from (select id from unnest(array[p_source, survivor]) id where id is not null order by id collate "C") one;
  select * into s from account where workspace = p_workspace and id = p_source;
  select * into t from account where workspace = p_workspace and id = survivor;
  if t.merged_into is not null then
    raise exception 'account % was merged meanwhile', survivor using errcode = '40001';
  end if;
  if s.status = 'merged' and account_survivor(p_workspace, s.id) = t.id then
    return account_outcome(p_workspace, t.id, 'replayed');
  end if;
  perform account_merge_refuse(s, t, p_source, p_target);

  s := lots_expire(s, p_at);
  t := lots_expire(t, p_at);
  cause := account_merge_rows(s, t, p_at);
  update account set status = 'merged', merged_into = t.id, balance = 0, lifetime_points = 0, lots_due_from = null,
    expiry_wake_at = null, activity_extends_to = null, tier_review_at = null, deficit_to = null
  where workspace = p_workspace and id = s.id;
  perform lots_move(p_workspace, s.id, t.id);
  insert into expiry_warning (workspace, account, expires_at, points, warned_at)
  select w.workspace, t.id, w.expires_at, w.points, w.warned_at from expiry_warning w
  where w.workspace = p_workspace and w.account = s.id and w.expires_at > p_at
  on conflict do nothing; -- of a date that the target was warned of as well
  perform credit_merge(s, t, p_at);
  update redemption set account = t.id where workspace = p_workspace and account = s.id;
  update tier_spend set account = t.id where workspace = p_workspace and account = s.id;
  if s.balance < 0 or t.balance < 0 then
    perform deficit_net(p_workspace, t.id,
      least(greatest(-s.balance, 0) + greatest(-t.balance, 0), greatest(s.balance, 0) + greatest(t.balance, 0)), cause);
  end if;
  t := account_merge_into(s, t, p_at);
  return jsonb_build_object('outcome', 'merged', 'account', to_jsonb(t));
end $$;

-- Moves all lots of an account to another, empty ones too; both are locked. Found by their keys, which the
-- transactions of the account's family have: empty lots are in no index by account. Many are moved some at
-- a time with a rest after each, for one of two cores is what everybody else redeems on.
create or replace function lots_move(p_workspace text, p_from text, p_to text) returns void
language plpgsql as $$
declare
  at_once constant int := 125; -- some 2 ms
  rest constant double precision := 0.01;
  lots text[];
begin
  select array_agg(x.id) into lots
  from account_family(p_workspace, p_from) f (id)
  join ptx x on x.workspace = p_workspace and x.account = f.id and x.amount > 0;
  for i in 1 .. coalesce(cardinality(lots), 0) by at_once loop
    if i > 1 then
      perform pg_sleep(rest);
    end if;
    update lot set account = p_to
    where workspace = p_workspace and account = p_from and id = any (lots[i : i + at_once - 1]);
  end loop;
end $$;

-- Refuses a merge that may not be; both accounts are locked.
create or replace function account_merge_refuse(s account, t account, p_source text, p_target text) returns void
language plpgsql as $$
declare
  pending jsonb;
begin
  if s.id is null then
    perform refuse(jsonb_build_object('code', 'resource_missing', 'param', 'source', 'account', p_source));
  elsif t.id is null then
    perform refuse(jsonb_build_object('code', 'resource_missing', 'param', 'target', 'account', p_target));
  elsif s.id = p_target then
    perform refuse('{"code": "parameter_invalid", "param": "target", "same": true}');
  elsif s.merged_into is not null then
    perform refuse(jsonb_build_object('code', 'account_merged', 'param', 'source', 'resource', s.merged_into));
  elsif s.id = t.id then
    perform refuse(jsonb_build_object('code', 'account_merged', 'param', 'target', 'resource', s.id));
  elsif s.program <> t.program then
    perform refuse(jsonb_build_object('code', 'parameter_invalid', 'param', 'target', 'program', s.program));
  elsif t.status = 'closed' then
    perform refuse('{"code": "account_closed", "param": "target"}');
  elsif s.lifetime_points + t.lifetime_points > 9007199254740991 then
    perform refuse('{"code": "parameter_invalid", "param": "target", "countable": 9007199254740991}');
  end if;
  select jsonb_agg(d.id order by d.created_at) into pending
  from redemption d
  where d.workspace = s.workspace and d.account in (s.id, t.id) and d.status = 'pending';
  if pending is not null then
    perform refuse(jsonb_build_object('code', 'redemptions_in_flight', 'redemptions', pending));
  end if;
end $$;

-- The two rows of a merge, which net to nothing; none where there is nothing to move. A deficit moves as
-- well: then the source's row is the positive one. Returns the target's.
create or replace function account_merge_rows(s account, t account, p_at timestamptz) returns text
language plpgsql as $$
declare
  out_of text := vinr_id('ptx');
  into_it text := vinr_id('ptx');
begin
  if s.balance = 0 then
    return into_it;
  end if;
  insert into ptx (workspace, id, account, program, type, amount, balance_after, reason, operation, source, at, created_at)
  values
    (s.workspace, out_of, s.id, s.program, 'merge', -s.balance, 0, 'merge', 'merge:out:' || s.id,
      jsonb_build_object('merged_into', t.id), p_at, clock_timestamp()),
    (t.workspace, into_it, t.id, t.program, 'merge', s.balance, t.balance + s.balance, 'merge', 'merge:into:' || s.id,
      jsonb_build_object('merged_from', s.id), p_at, clock_timestamp());
  return into_it;
end $$;

-- The survivor after a merge, with what the source brought: `s` and `t` are the two before it. The
-- customer follows where the survivor has none and no other active account has it. The survivor's tier
-- is the higher of the two, or what their points together reach.
create or replace function account_merge_into(s account, t account, p_at timestamptz) returns account
language plpgsql as $$
declare
  p program;
  unlinked boolean := t.customer is null and s.customer is not null;
  before account := t;
begin
  update account set
    balance = balance + s.balance,
    lifetime_points = lifetime_points + s.lifetime_points,
    lots_due_from = least(lots_due_from, s.lots_due_from),
    expiry_wake_at = least(expiry_wake_at, s.expiry_wake_at),
    activity_extends_to = greatest(activity_extends_to, s.activity_extends_to)
  where workspace = t.workspace and id = t.id
  returning * into t;
  if unlinked and account_of_customer(s.workspace, s.program, s.customer, t.id) is null then
    begin
      update account set customer = s.customer where workspace = t.workspace and id = t.id returning * into t;
    exception when unique_violation then
      null; -- the customer's own active account keeps it
    end;
  end if;
  select * into p from program where workspace = t.workspace and id = t.program;
  if t.expiry_wake_at < coalesce(before.expiry_wake_at, 'infinity') then
    perform expiry_check_outbox(before, p, t.expiry_wake_at);
  end if;
  if p.tier_config is not null then
    t := tier_merge(s, t, p, p_at);
  end if;
  perform event_write(t.workspace, 'loyalty.account.merged', s.id, to_jsonb(x), jsonb_build_object(
    'status', s.status, 'balance', s.balance, 'lifetime_points', s.lifetime_points), p_at)
  from account x where x.workspace = s.workspace and x.id = s.id;
  if unlinked and t.customer is not null then
    perform event_write(t.workspace, 'loyalty.account.updated', t.id, to_jsonb(t), '{"customer": null}', p_at);
    t := deficits_inherit(t, p_at);
  end if;
  return t;
end $$;
