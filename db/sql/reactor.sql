-- Reactors: what an event of a till does, within its limits.

-- How many activations of a reactor fall into a window, by the time they happened, or,
-- `p_by_receipt`, by the time they were received; counts no further than `p_most`. `p_accounts`: of
-- these; null: of all.
create or replace function ledger_private.activations_within(
  reactor_row reactor, p_accounts text[], p_window tstzrange, p_by_receipt boolean, p_most bigint
) returns bigint
language plpgsql stable as $$
declare
  window_from timestamptz := coalesce(lower(p_window), '-infinity');
  window_to timestamptz := coalesce(upper(p_window), 'infinity');
begin
  if p_accounts is null then
    return (select count(*) from (
      select from reactor_activation
      where reactor_activation.workspace = reactor_row.workspace
        and reactor_activation.reactor = reactor_row.id and reactor_activation.at >= window_from
        and reactor_activation.at < window_to
        and not (p_by_receipt and reactor_activation.received_at is not null)
      union all
      select from reactor_activation
      where p_by_receipt and reactor_activation.workspace = reactor_row.workspace
        and reactor_activation.reactor = reactor_row.id
        and reactor_activation.received_at >= window_from
        and reactor_activation.received_at < window_to
      limit p_most) counted);
  end if;
  return (select count(*) from (
    select from reactor_activation
    where reactor_activation.workspace = reactor_row.workspace
      and reactor_activation.reactor = reactor_row.id
      and reactor_activation.account = any (p_accounts)
      and reactor_activation.at >= window_from and reactor_activation.at < window_to
      and not (p_by_receipt and reactor_activation.received_at is not null)
    union all
    select from reactor_activation
    where p_by_receipt and reactor_activation.workspace = reactor_row.workspace
      and reactor_activation.reactor = reactor_row.id
      and reactor_activation.account = any (p_accounts)
      and reactor_activation.received_at >= window_from
      and reactor_activation.received_at < window_to
    limit p_most) counted);
end $$;

-- Whether `p_limit` is reached, in the window of the time that an event happened or in that of its
-- receipt: an event's time is what a till says, and no limit is stepped over by dating events
-- apart.
create or replace function ledger_private.limit_is_reached(
  reactor_row reactor, p_limit jsonb, p_accounts text[], p_on timestamptz, p_received timestamptz,
  p_zone text
) returns boolean
language plpgsql stable as $$
declare
  most bigint := (p_limit ->> 'activations')::bigint;
  happened tstzrange := window_of(p_limit ->> 'window', p_on, p_zone);
  received tstzrange := window_of(p_limit ->> 'window', p_received, p_zone);
begin
  if activations_within(reactor_row, p_accounts, happened, false, most) >= most then
    return true;
  elsif p_limit ->> 'window' = 'lifetime' or p_on = p_received and not exists (
      select from reactor_activation
      where reactor_activation.workspace = reactor_row.workspace
        and reactor_activation.reactor = reactor_row.id
        and reactor_activation.received_at >= lower(received)
        and reactor_activation.received_at < upper(received)) then
    return false; -- nothing was received in another window than its own: the count is the same
  end if;
  return activations_within(reactor_row, p_accounts, received, true, most) >= most;
end $$;

-- Which limit keeps the reactor from acting on an event of `p_on`, received at `p_received`, or
-- null. What counts are activations, whatever the reactor was like then. The account's lock is
-- held; a limit in all takes the reactor's row as well, after it, so that it is exact whoever else
-- reports.
create or replace function ledger_private.reactor_limit_reached(
  reactor_row reactor, account_row account, p_on timestamptz, p_received timestamptz
)
returns text
language plpgsql as $$
declare
  zone text;
  per_user jsonb := reactor_row.limits -> 'per_user';
  in_all jsonb := reactor_row.limits -> 'in_all';
begin
  if reactor_row.limits = '{}' then
    return null;
  end if;
  select expiry_time_zone into zone from program where workspace = account_row.workspace
    and id = account_row.program;
  if per_user is not null
      and limit_is_reached(reactor_row, per_user,
      array(select account_family(account_row.workspace, account_row.id)), p_on,
        p_received, zone) then
    return format('The member has reached the limit of %s (%s).', per_user ->> 'activations',
      per_user ->> 'window');
  end if;
  if in_all is not null then
    perform from reactor where workspace = reactor_row.workspace and id = reactor_row.id for update;
    if limit_is_reached(reactor_row, in_all, null, p_on, p_received, zone) then
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
  account_row account, p_reactions jsonb, p_strict boolean
) returns jsonb
language plpgsql stable as $$
declare
  reaction jsonb;
  amount bigint;
  program_row program;
begin
  for reaction in select * from jsonb_array_elements(p_reactions) loop
    case reaction ->> 'type'
      when 'adjust_points' then
        amount := (reaction ->> 'amount')::bigint;
        if amount < 0 and account_row.balance + amount < 0 then
          if p_strict then
            perform refuse(points_missing(-amount, account_row.balance));
          elsif not (reaction ->> 'allow_negative')::boolean then
            return points_missing(-amount, account_row.balance) - 'code'
              || jsonb_build_object('reason', 'insufficient_points',
              'explanation',
              'The debit would take the balance below zero, which this reaction does not allow.');
          end if;
        end if;
        account_row.balance := account_row.balance + amount;
      when 'set_tier' then
        select * into program_row from program where workspace = account_row.workspace
          and id = account_row.program;
        if tier_qualify_on(program_row) is distinct from 'custom'
          or tier_named(program_row, reaction ->> 'tier') is null then
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
  event_row reported_event, p_planned jsonb, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  reactor_row reactor;
  account_row account;
  outcome jsonb := p_planned - 'version';
  refused jsonb;
  reached text;
begin
  if p_planned ->> 'outcome' <> 'ready' then
    return outcome;
  end if;
  select * into reactor_row from reactor where workspace = event_row.workspace
    and id = p_planned ->> 'reactor';
  select * into account_row from account where workspace = event_row.workspace
    and id = event_row.account;
  reached := reactor_limit_reached(reactor_row, account_row, event_row.occurred_at,
    event_row.created_at);
  if reached is not null then
    return outcome || jsonb_build_object('outcome', 'skipped', 'reason', 'limit_reached',
      'explanation', reached,
      'reactions', '[]'::jsonb);
  end if;
  refused := reactions_refused(account_row, p_planned -> 'reactions', event_row.is_strict);
  if refused is not null then
    return outcome || '{"outcome": "failed", "reactions": []}' || refused;
  end if;
  if p_planned -> 'reactions' @> '[{"type": "issue_reward"}]' then
    return outcome || reactor_do_or_fail(event_row, reactor_row, p_planned -> 'reactions', p_at);
  end if;
  return outcome || jsonb_build_object('outcome', 'activated',
    'reactions', reactor_do(event_row, reactor_row, p_planned -> 'reactions', p_at));
end $$;

-- Counts the activation and does all reactions, in order. Returns what they did.
create or replace function ledger_private.reactor_do(
  event_row reported_event, reactor_row reactor, p_reactions jsonb, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  reaction record;
  done jsonb := '[]';
begin
  insert into reactor_activation (workspace, event, reactor, account, at, received_at)
  values (event_row.workspace, event_row.id, reactor_row.id, event_row.account,
    event_row.occurred_at, nullif(event_row.created_at, event_row.occurred_at));
  for reaction in select value, ordinality
    from jsonb_array_elements(p_reactions) with ordinality loop
    done := done || reaction_do(event_row, reactor_row, reaction.value, reaction.ordinality::int,
      p_at);
  end loop;
  return done;
end $$;

-- Does one reaction, which is possible. Returns what it did.
create or replace function ledger_private.reaction_do(
  event_row reported_event, reactor_row reactor, p_reaction jsonb, p_index int, p_at timestamptz
)
returns jsonb
language plpgsql as $$
declare
  amount bigint := (p_reaction ->> 'amount')::bigint;
  posted jsonb;
  account_row account;
  program_row program;
begin
  case p_reaction ->> 'type'
    when 'adjust_points' then
      if amount = 0 then
        return '{"type": "adjust_points", "amount": 0, "transaction": null}';
      end if;
      posted := points_post(event_row.workspace, event_row.account, 'adjust', amount,
        p_reaction ->> 'reason',
        'event:' || event_row.id || ':' || reactor_row.id || ':' || p_index, null, p_at, null, null,
        jsonb_build_object('event', event_row.id, 'event_type', event_row.type, 'reactor',
        reactor_row.id), '{}', true);
      return jsonb_build_object('type', 'adjust_points', 'amount', amount,
        'transaction', posted #> '{transaction,id}', 'balance_after',
        posted #> '{transaction,balance_after}');
    when 'set_tier' then
      select * into account_row from account where workspace = event_row.workspace
        and id = event_row.account;
      select * into program_row from program where workspace = event_row.workspace
        and id = account_row.program;
      perform tier_write(account_row, program_row, tier_named(program_row, p_reaction ->> 'tier'),
        null, 'set', reactor_row.name, p_at);
      return jsonb_build_object('type', 'set_tier', 'tier', p_reaction ->> 'tier');
    when 'issue_reward' then
      return reward_issue(event_row, reactor_row, p_reaction, p_at);
    else
      perform event_write(event_row.workspace, p_reaction ->> 'event', event_row.id,
        jsonb_build_object('account', event_row.account,
        'payload', p_reaction -> 'payload', 'source',
        jsonb_build_object('event', event_row.id, 'reactor', reactor_row.id)), null, p_at);
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
  event_row reported_event, reactor_row reactor, p_reaction jsonb, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  account_row account;
  reward_row reward;
  program_row program;
  redemption_row redemption;
  refusals jsonb;
begin
  if p_reaction ? 'refusal' then
    perform reward_withheld(p_reaction -> 'refusal');
  end if;
  select * into account_row from account where workspace = event_row.workspace
    and id = event_row.account;
  select * into reward_row from reward where workspace = event_row.workspace
    and id = p_reaction ->> 'reward';
  if reward_row.inventory is not null then
    select * into reward_row from reward where workspace = event_row.workspace
      and id = reward_row.id for update;
  end if;
  if reward_row.id is null or reward_row.program <> account_row.program
    or reward_row.has_variants then
    perform reward_withheld(jsonb_build_object('code', 'resource_missing', 'reward',
      p_reaction ->> 'reward'));
  end if;
  redemption_row.quantity := (p_reaction ->> 'quantity')::int;
  reward_row.cost := 0;
  refusals := redemption_refusals(account_row, reward_row, redemption_row.quantity, 0, p_at);
  if refusals <> '[]' then
    perform reward_withheld(refusals -> 0);
  end if;
  redemption_row.workspace := event_row.workspace;
  redemption_row.id := p_reaction ->> 'redemption';
  redemption_row.account := account_row.id;
  redemption_row.reward := reward_row.id;
  redemption_row.program := account_row.program;
  redemption_row.points := 0;
  redemption_row.fingerprint := event_row.fingerprint;
  redemption_row.metadata := jsonb_build_object('event', event_row.event_id, 'reactor',
    reactor_row.id);
  redemption_row.created_at := p_at;
  redemption_row.took_stock := reward_row.inventory is not null;
  select * into program_row from program where workspace = account_row.workspace
    and id = account_row.program;
  redemption_row := redemption_artifact(redemption_row, reward_row, p_reaction ->> 'code',
    coalesce((p_reaction ->> 'expires_at')::timestamptz,
    redemption_due_at(reward_row, redemption_hold_minutes(reward_row, program_row,
      coalesce((p_reaction ->> 'hold_minutes')::numeric, 30)), p_at)), null);
  if reward_row.codes is not null then
    redemption_row.gift_cards := gift_cards_take(redemption_row, reward_row, p_reaction -> 'codes',
      p_at);
    if redemption_row.gift_cards is null and reward_row.codes ? 'pool' then
      perform reward_withheld('{"code": "reward_out_of_stock"}');
    end if;
  end if;
  if reward_row.codes is not null and redemption_row.gift_cards is null then
    raise exception using errcode = 'VR002', message = '{"outcome": "stale"}';
  end if;
  perform redemption_insert(redemption_row, account_row, p_at);
  return jsonb_build_object('type', 'issue_reward', 'reward', redemption_row.reward, 'quantity',
    redemption_row.quantity, 'redemption', redemption_row.id);
end $$;

-- Leaves the reactor that cannot give its reward; `reactor_do_or_fail` catches it.
create or replace function ledger_private.reward_withheld(p_refusal jsonb) returns void
language plpgsql as $$
begin
  raise exception using errcode = 'VR003', message = p_refusal::text;
end $$;

-- As reactor_do, for a reactor that gives rewards: where one is withheld nothing of the reactor
-- stays, and the event goes on without it. A strict event is refused with what withheld it.
create or replace function ledger_private.reactor_do_or_fail(
  event_row reported_event, reactor_row reactor, p_reactions jsonb, p_at timestamptz
)
returns jsonb
language plpgsql as $$
declare
  refusal jsonb;
begin
  return jsonb_build_object('outcome', 'activated', 'reactions',
    reactor_do(event_row, reactor_row, p_reactions, p_at));
exception when sqlstate 'VR003' then
  refusal := sqlerrm::jsonb;
  if event_row.is_strict then
    perform refuse(refusal);
  end if;
  return jsonb_build_object('outcome', 'failed', 'reason', refusal ->> 'code', 'reactions',
    '[]'::jsonb,
    'explanation', format('A reward cannot be given: %s.', refusal ->> 'code'));
end $$;

-- The redemptions that an event's reactors gave, in their order.
create or replace function ledger_private.event_gifts(event_row reported_event) returns text[]
language sql immutable as $$
  select coalesce(array_agg(redemption #>> '{}' order by position), '{}')
  from jsonb_path_query(event_row.outcomes,
    '$[*].reactions[*] ? (@.type == "issue_reward").redemption') with ordinality gift (redemption,
    position)
$$;

-- Takes back what an event gave, as a redemption is reversed. A gift that was released or reversed
-- already is left as it is. All locks are held.
create or replace function ledger_private.event_undo_gifts(
  event_row reported_event, p_at timestamptz
) returns void
language plpgsql as $$
declare
  gift text;
  posted jsonb;
begin
  foreach gift in array event_gifts(event_row) loop
    continue when exists (select from redemption
      where workspace = event_row.workspace and id = gift and status in ('released', 'reversed'));
    posted := redemption_reverse(
      event_row.workspace, gift, null, null, 'event_reversed', 'undo:' || gift, event_row.id, p_at,
      null, null);
    if posted ->> 'outcome' <> 'reversed' then
      perform refuse(coalesce(posted -> 'refusal', '{"code": "not_reversible"}'));
    end if;
  end loop;
end $$;
