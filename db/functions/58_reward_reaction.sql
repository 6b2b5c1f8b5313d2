-- Gives the member a reward for nothing: a redemption of 0 points and without a debit, otherwise as
-- redemption_create has it. What keeps anybody from redeeming the reward keeps a reactor from giving it:
-- that raises VR003, so that its whole reactor takes back what it did. A discount is held for `hold_minutes` where
-- neither reward nor program says (`expires_at`: the release before says when it is due). Where it
-- needs codes that were not made for it, all is taken back to be planned anew (VR002). The account's lock is held.
create or replace function reward_issue(e reported_event, r reactor, p_reaction jsonb, p_at timestamptz) returns jsonb
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
    perform reward_withheld(jsonb_build_object('code', 'resource_missing', 'reward', p_reaction ->> 'reward'));
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
  d := redemption_artifact(d, w, p_reaction ->> 'code', coalesce((p_reaction ->> 'expires_at')::timestamptz,
    redemption_due_at(w, redemption_hold_minutes(w, p, coalesce((p_reaction ->> 'hold_minutes')::numeric, 30)), p_at)), null);
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
  return jsonb_build_object('type', 'issue_reward', 'reward', d.reward, 'quantity', d.quantity, 'redemption', d.id);
end $$;

-- Leaves the reactor that cannot give its reward; `reactor_do_or_fail` hears it.
create or replace function reward_withheld(p_refusal jsonb) returns void
language plpgsql as $$
begin
  raise exception using errcode = 'VR003', message = p_refusal::text;
end $$;

-- As reactor_do, for a reactor that gives rewards: where one is withheld nothing of the reactor stays, and
-- the event goes on without it. A strict event is refused with what withheld it.
create or replace function reactor_do_or_fail(e reported_event, r reactor, p_reactions jsonb, p_at timestamptz)
returns jsonb
language plpgsql as $$
declare
  refusal jsonb;
begin
  return jsonb_build_object('outcome', 'activated', 'reactions', reactor_do(e, r, p_reactions, p_at));
exception when sqlstate 'VR003' then
  refusal := sqlerrm::jsonb;
  if e.is_strict then
    perform refuse(refusal);
  end if;
  return jsonb_build_object('outcome', 'failed', 'reason', refusal ->> 'code', 'reactions', '[]'::jsonb,
    'explanation', format('A reward cannot be given: %s.', refusal ->> 'code'));
end $$;

-- The redemptions that an event's reactors gave, in their order.
create or replace function event_gifts(o reported_event) returns text[]
language sql immutable as $$
  select coalesce(array_agg(x #>> '{}' order by n), '{}')
  from jsonb_path_query(o.outcomes, '$[*].reactions[*] ? (@.type == "issue_reward").redemption') with ordinality y (x, n)
$$;

-- Takes back what an event gave, as a redemption is reversed. A gift that was released or reversed already
-- is left as it is. All locks are held.
create or replace function event_undo_gifts(o reported_event, p_at timestamptz) returns void
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
