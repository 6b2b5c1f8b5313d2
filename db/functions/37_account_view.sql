-- Everything the API shows of one account, in one statement that writes nothing: the row, the lots that
-- expire by their date (soonest first), what is pending, and how it stands between tiers. Null where there is none.
create or replace function account_view(p_workspace text, p_id text) returns jsonb
language plpgsql stable as $$
declare
  a account;
  lots jsonb;
  standing jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into a from account where workspace = p_workspace and id = p_id;
  if not found then
    return null;
  end if;
  if a.lots_due_from is not null then
    select jsonb_agg(jsonb_build_object('points', due.points, 'expires_at', due.due_at) order by due.due_at) into lots
    from (
      select lot_due_at(l, a.activity_extends_to) as due_at, sum(l.remaining) as points
      from lot l
      where l.workspace = p_workspace and l.account = p_id and l.open and l.expires_at is not null
      group by 1
    ) due;
  end if;
  if a.tier is not null or exists (
    select from program where workspace = p_workspace and id = a.program and tier_config is not null) then
    select to_jsonb(s) into standing from tier_standing(p_workspace, array[p_id], clock_timestamp()) s;
  end if;
  return jsonb_build_object('account', to_jsonb(a), 'lots', lots, 'tier', standing,
    'pending', account_pending(p_workspace, p_id), 'at', clock_timestamp());
end $$;
