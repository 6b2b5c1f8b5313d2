-- Returns `p_points` of a debit to the account as one ptx of type release, reverse or clawback
-- (a failed refund), gives them back to the same lots and expires what came back past its date.
-- The account's lock is held. Returns the ptx.
drop function if exists points_return(account, text, text, bigint, text, text, text, timestamptz);
create or replace function points_return(
  a account, p_type text, p_debit text, p_points bigint, p_reason text, p_operation text,
  p_redemption text, p_at timestamptz, p_fingerprint text default null, p_metadata jsonb default '{}'
) returns ptx
language plpgsql as $$
declare
  p program;
  t ptx;
begin
  a := lots_expire(a, p_at);
  select * into p from program where workspace = a.workspace and id = a.program;
  insert into ptx (workspace, id, account, program, type, amount, balance_after, reason, operation, redemption,
    reverses, fingerprint, metadata, at, created_at)
  values (a.workspace, vinr_id('ptx'), a.id, a.program, p_type, p_points, a.balance + p_points, p_reason, p_operation,
    p_redemption, p_debit, p_fingerprint, p_metadata, p_at, clock_timestamp())
  returning * into t;
  perform event_of_ptx(a.workspace, 'loyalty.points.reversed', t.id, p_at);
  perform points_came_back(a, p, t, p_debit, p_at);
  return t;
end $$;

-- What every return of points ends with, its row `t` written: what `p_debit` took goes back to its lots, the
-- balance rises, the account's next check is no later than the dates that came back, what is past its date expires, and
-- what another account had taken over is settled.
-- `a` is the account before it, locked.
create or replace function points_came_back(a account, p program, t ptx, p_debit text, p_at timestamptz) returns void
language plpgsql as $$
begin
  perform lots_give_back(a, p, p_debit, t.amount, t.id, p_at);
  update account x set balance = x.balance + t.amount, lots_due_from = (
      select min(lot_due_at(l, x.activity_extends_to)) from lot l
      where l.workspace = a.workspace and l.account = a.id and l.open and l.expires_at is not null)
  where x.workspace = a.workspace and x.id = a.id
  returning * into a;
  perform expiry_check_earlier(a, p, p_at);
  a := lots_expire(a, p_at, p_at);
  if a.deficit_to is not null then
    perform deficit_settle(a.workspace, a.id, p_at);
  end if;
end $$;
