-- Reactors: what an event of a till does, within its limits.

-- How many activations of a reactor fall into a window, by the time they happened, or,
-- `p_by_receipt`, by the time they were received; counts no further than `p_most`. `p_accounts`: of
-- these; null: of all.
create or replace function ledger_private.activations_within(
  r reactor, p_accounts text[], p_window tstzrange, p_by_receipt boolean, p_most bigint
) returns bigint
language plpgsql stable as $$
declare
  win_from timestamptz := coalesce(lower(p_window), '-infinity');
  win_to timestamptz := coalesce(upper(p_window), 'infinity');
begin
  if p_accounts is null then
    return (select count(*) from (
      select from reactor_activation x
      where x.workspace = r.workspace and x.reactor = r.id and x.at >= win_from and x.at < win_to
        and not (p_by_receipt and x.received_at is not null)
      union all
      select from reactor_activation x
      where p_by_receipt and x.workspace = r.workspace and x.reactor = r.id
        and x.received_at >= win_from and x.received_at < win_to
      limit p_most) counted);
  end if;
  return (select count(*) from (
    select from reactor_activation x
    where x.workspace = r.workspace and x.reactor = r.id and x.account = any (p_accounts)
      and x.at >= win_from and x.at < win_to and not (p_by_receipt and x.received_at is not null)
    union all
    select from reactor_activation x
    where p_by_receipt and x.workspace = r.workspace and x.reactor = r.id
      and x.account = any (p_accounts)
      and x.received_at >= win_from and x.received_at < win_to
    limit p_most) counted);
end $$;

-- Whether `p_limit` is reached, in the window of the time that an event happened or in that of its
-- receipt: an event's time is what a till says, and no limit is stepped over by dating events
-- apart.
create or replace function ledger_private.limit_is_reached(
  r reactor, p_limit jsonb, p_accounts text[], p_on timestamptz, p_received timestamptz, p_zone text
) returns boolean
language plpgsql stable as $$
declare
  most bigint := (p_limit ->> 'activations')::bigint;
  happened tstzrange := window_of(p_limit ->> 'window', p_on, p_zone);
  received tstzrange := window_of(p_limit ->> 'window', p_received, p_zone);
begin
  if activations_within(r, p_accounts, happened, false, most) >= most then
    return true;
  elsif p_limit ->> 'window' = 'lifetime' or p_on = p_received and not exists (
      select from reactor_activation x
      where x.workspace = r.workspace and x.reactor = r.id
        and x.received_at >= lower(received) and x.received_at < upper(received)) then
    return false; -- nothing was received in another window than its own: the count is the same
  end if;
  return activations_within(r, p_accounts, received, true, most) >= most;
end $$;

-- Which limit keeps the reactor from acting on an event of `p_on`, received at `p_received`, or
-- null. What counts are activations, whatever the reactor was like then. The account's lock is
-- held; a limit in all takes the reactor's row as well, after it, so that it is exact whoever else
-- reports.
create or replace function ledger_private.reactor_limit_reached(
  r reactor, a account, p_on timestamptz, p_received timestamptz
)
returns text
language plpgsql as $$
declare
  zone text;
  per_user jsonb := r.limits -> 'per_user';
  in_all jsonb := r.limits -> 'in_all';
begin
  if r.limits = '{}' then
    return null;
  end if;
  select expiry_time_zone into zone from program where workspace = a.workspace and id = a.program;
  if per_user is not null
      and limit_is_reached(r, per_user, array(select account_family(a.workspace, a.id)), p_on,
        p_received, zone) then
    return format('The member has reached the limit of %s (%s).', per_user ->> 'activations',
      per_user ->> 'window');
  end if;
  if in_all is not null then
    perform from reactor where workspace = r.workspace and id = r.id for update;
    if limit_is_reached(r, in_all, null, p_on, p_received, zone) then
      return format('The limit of %s in all (%s) is reached.', in_all ->> 'activations',
        in_all ->> 'window');
    end if;
  end if;
  return null;
end $$;

-- Why these reactions cannot all be done, as the fields of a failed outcome; null where they can. A
-- reactor acts wholly or not at all. Where the event is strict, a debit below zero refuses the
-- event.
create or replace function ledger_private.reactions_refused(
  a account, p_reactions jsonb, p_strict boolean
) returns jsonb
language plpgsql stable as $$
declare
  reaction jsonb;
  amount bigint;
  p program;
begin
  for reaction in select * from jsonb_array_elements(p_reactions) loop
    case reaction ->> 'type'
      when 'adjust_points' then
        amount := (reaction ->> 'amount')::bigint;
        if amount < 0 and a.balance + amount < 0 then
          if p_strict then
            perform refuse(points_missing(-amount, a.balance));
          elsif not (reaction ->> 'allow_negative')::boolean then
            return points_missing(-amount, a.balance) - 'code'
              || jsonb_build_object('reason', 'insufficient_points',
              'explanation',
              'The debit would take the balance below zero, which this reaction does not allow.');
          end if;
        end if;
        a.balance := a.balance + amount;
      when 'set_tier' then
        select * into p from program where workspace = a.workspace and id = a.program;
        if tier_qualify_on(p) is distinct from 'custom'
          or tier_named(p, reaction ->> 'tier') is null then
          return jsonb_build_object('reason', 'no_such_tier', 'explanation',
            format('The program sets no tier %s by hand.', reaction ->> 'tier'));
        end if;
      else null;
    end case;
  end loop;
  return null;
end $$;

-- Does what a reactor plans for an event, or says why not. The account's lock is held.
create or replace function ledger_private.reactor_act(
  e reported_event, p_planned jsonb, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  r reactor;
  a account;
  outcome jsonb := p_planned - 'version';
  refused jsonb;
  reached text;
begin
  if p_planned ->> 'outcome' <> 'ready' then
    return outcome;
  end if;
  select * into r from reactor where workspace = e.workspace and id = p_planned ->> 'reactor';
  select * into a from account where workspace = e.workspace and id = e.account;
  reached := reactor_limit_reached(r, a, e.occurred_at, e.created_at);
  if reached is not null then
    return outcome || jsonb_build_object('outcome', 'skipped', 'reason', 'limit_reached',
      'explanation', reached,
      'reactions', '[]'::jsonb);
  end if;
  refused := reactions_refused(a, p_planned -> 'reactions', e.is_strict);
  if refused is not null then
    return outcome || '{"outcome": "failed", "reactions": []}' || refused;
  end if;
  if p_planned -> 'reactions' @> '[{"type": "issue_reward"}]' then
    return outcome || reactor_do_or_fail(e, r, p_planned -> 'reactions', p_at);
  end if;
  return outcome || jsonb_build_object('outcome', 'activated',
    'reactions', reactor_do(e, r, p_planned -> 'reactions', p_at));
end $$;

-- Counts the activation and does all reactions, in order. Returns what they did.
create or replace function ledger_private.reactor_do(
  e reported_event, r reactor, p_reactions jsonb, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  reaction record;
  done jsonb := '[]';
begin
  insert into reactor_activation (workspace, event, reactor, account, at, received_at)
  values (e.workspace, e.id, r.id, e.account, e.occurred_at, nullif(e.created_at, e.occurred_at));
  for reaction in select value, ordinality
    from jsonb_array_elements(p_reactions) with ordinality loop
    done := done || reaction_do(e, r, reaction.value, reaction.ordinality::int, p_at);
  end loop;
  return done;
end $$;

-- Does one reaction, which has been judged possible. Returns what it did.
create or replace function ledger_private.reaction_do(
  e reported_event, r reactor, p_reaction jsonb, p_index int, p_at timestamptz
)
returns jsonb
language plpgsql as $$
declare
  amount bigint := (p_reaction ->> 'amount')::bigint;
  posted jsonb;
  a account;
  p program;
begin
  case p_reaction ->> 'type'
    when 'adjust_points' then
      if amount = 0 then
        return '{"type": "adjust_points", "amount": 0, "transaction": null}';
      end if;
      posted := points_post(e.workspace, e.account, 'adjust', amount, p_reaction ->> 'reason',
        'event:' || e.id || ':' || r.id || ':' || p_index, null, p_at, null, null,
        jsonb_build_object('event', e.id, 'event_type', e.type, 'reactor', r.id), '{}', true);
      return jsonb_build_object('type', 'adjust_points', 'amount', amount,
        'transaction', posted #> '{transaction,id}', 'balance_after',
        posted #> '{transaction,balance_after}');
    when 'set_tier' then
      select * into a from account where workspace = e.workspace and id = e.account;
      select * into p from program where workspace = e.workspace and id = a.program;
      perform tier_write(a, p, tier_named(p, p_reaction ->> 'tier'), null, 'set', r.name, p_at);
      return jsonb_build_object('type', 'set_tier', 'tier', p_reaction ->> 'tier');
    when 'issue_reward' then
      return reward_issue(e, r, p_reaction, p_at);
    else
      perform event_write(e.workspace, p_reaction ->> 'event', e.id,
        jsonb_build_object('account', e.account,
        'payload', p_reaction -> 'payload', 'source',
        jsonb_build_object('event', e.id, 'reactor', r.id)), null, p_at);
      return jsonb_build_object('type', 'emit_event', 'event_type', p_reaction ->> 'event');
  end case;
end $$;

-- Gives the member a reward for nothing: a redemption of 0 points and without a debit, otherwise as
-- redemption_create has it. What keeps anybody from redeeming the reward keeps a reactor from
-- giving it: that raises VR003, so that its whole reactor takes back what it did. A discount is
-- held for `hold_minutes` where neither reward nor program says (`expires_at`: the release before
-- says when it is due). Where it needs codes that were not made for it, all is taken back to be
-- planned anew (VR002). The account's lock is held.
create or replace function ledger_private.reward_issue(
  e reported_event, r reactor, p_reaction jsonb, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  a account;
  w reward;
  p program;
  d redemption;
  refusals jsonb;
begin
  if p_reaction ? 'refusal' then
    perform reward_withheld(p_reaction -> 'refusal');
  end if;
  select * into a from account where workspace = e.workspace and id = e.account;
  select * into w from reward where workspace = e.workspace and id = p_reaction ->> 'reward';
  if w.inventory is not null then
    select * into w from reward where workspace = e.workspace and id = w.id for update;
  end if;
  if w.id is null or w.program <> a.program or w.has_variants then
    perform reward_withheld(jsonb_build_object('code', 'resource_missing', 'reward',
      p_reaction ->> 'reward'));
  end if;
  d.quantity := (p_reaction ->> 'quantity')::int;
  w.cost := 0;
  refusals := redemption_refusals(a, w, d.quantity, 0, p_at);
  if refusals <> '[]' then
    perform reward_withheld(refusals -> 0);
  end if;
  d.workspace := e.workspace;
  d.id := p_reaction ->> 'redemption';
  d.account := a.id;
  d.reward := w.id;
  d.program := a.program;
  d.points := 0;
  d.fingerprint := e.fingerprint;
  d.metadata := jsonb_build_object('event', e.event_id, 'reactor', r.id);
  d.created_at := p_at;
  d.took_stock := w.inventory is not null;
  select * into p from program where workspace = a.workspace and id = a.program;
  d := redemption_artifact(d, w, p_reaction ->> 'code',
    coalesce((p_reaction ->> 'expires_at')::timestamptz,
    redemption_due_at(w, redemption_hold_minutes(w, p,
      coalesce((p_reaction ->> 'hold_minutes')::numeric, 30)), p_at)), null);
  if w.codes is not null then
    d.gift_cards := gift_cards_take(d, w, p_reaction -> 'codes', p_at);
    if d.gift_cards is null and w.codes ? 'pool' then
      perform reward_withheld('{"code": "reward_out_of_stock"}');
    end if;
  end if;
  if w.codes is not null and d.gift_cards is null then
    raise exception using errcode = 'VR002', message = '{"outcome": "stale"}';
  end if;
  perform redemption_insert(d, a, p_at);
  return jsonb_build_object('type', 'issue_reward', 'reward', d.reward, 'quantity', d.quantity,
    'redemption', d.id);
end $$;

-- Leaves the reactor that cannot give its reward; `reactor_do_or_fail` hears it.
create or replace function ledger_private.reward_withheld(p_refusal jsonb) returns void
language plpgsql as $$
begin
  raise exception using errcode = 'VR003', message = p_refusal::text;
end $$;

-- As reactor_do, for a reactor that gives rewards: where one is withheld nothing of the reactor
-- stays, and the event goes on without it. A strict event is refused with what withheld it.
create or replace function ledger_private.reactor_do_or_fail(
  e reported_event, r reactor, p_reactions jsonb, p_at timestamptz
)
returns jsonb
language plpgsql as $$
declare
  refusal jsonb;
begin
  return jsonb_build_object('outcome', 'activated', 'reactions',
    reactor_do(e, r, p_reactions, p_at));
exception when sqlstate 'VR003' then
  refusal := sqlerrm::jsonb;
  if e.is_strict then
    perform refuse(refusal);
  end if;
  return jsonb_build_object('outcome', 'failed', 'reason', refusal ->> 'code', 'reactions',
    '[]'::jsonb,
    'explanation', format('A reward cannot be given: %s.', refusal ->> 'code'));
end $$;

-- The redemptions that an event's reactors gave, in their order.
create or replace function ledger_private.event_gifts(o reported_event) returns text[]
language sql immutable as $$
  select coalesce(array_agg(x #>> '{}' order by n), '{}')
  from jsonb_path_query(o.outcomes,
    '$[*].reactions[*] ? (@.type == "issue_reward").redemption') with ordinality y (x, n)
$$;

-- Takes back what an event gave, as a redemption is reversed. A gift that was released or reversed
-- already is left as it is. All locks are held.
create or replace function ledger_private.event_undo_gifts(
  o reported_event, p_at timestamptz
) returns void
language plpgsql as $$
declare
  gift text;
  posted jsonb;
begin
  foreach gift in array event_gifts(o) loop
    continue when exists (select from redemption
      where workspace = o.workspace and id = gift and status in ('released', 'reversed'));
    posted := redemption_reverse(
      o.workspace, gift, null, null, 'event_reversed', 'undo:' || gift, o.id, p_at, null, null);
    if posted ->> 'outcome' <> 'reversed' then
      perform refuse(coalesce(posted -> 'refusal', '{"code": "not_reversible"}'));
    end if;
  end loop;
end $$;
