-- All that follows from a completed payment as it now stands: what it should have earned and what its
-- refunds should have taken back, against what is written; the difference is written. Members and
-- rules are judged once, at the provider's completion time (`p_again`, a replay, judges members as they
-- are now); refunds always. The payment's row is locked; accounts are locked in id order. Idempotent.
create or replace function payment_settle(pay payment, p_again boolean, p_at timestamptz) returns payment
language plpgsql as $$
declare
  m account;
  e earning;
  on_time timestamptz := coalesce(pay.completed_at, p_at);
  named boolean;
  judge boolean;
  members text[] := '{}';
  matched int;
begin
  if pay.invoice is not null then
    pay := payment_with_invoice(pay);
  end if;
  named := pay.customer is not null or pay.metadata ? 'loyalty_account'
    or exists (select from account_named(pay.workspace, pay.metadata));
  judge := p_again or pay.award is null or (pay.award = 'unnamed' and named);
  if judge then
    perform earning_enrol(pay.workspace, pay.customer, pay.metadata, on_time, p_at);
    select coalesce(array_agg(x.id order by x.id), '{}') into members
    from earning_members(pay.workspace, pay.customer, pay.metadata, case when not p_again then on_time end) x;
    pay.award := case when cardinality(members) > 0 then 'no_rule' when named then 'no_member' else 'unnamed' end;
  end if;
  perform account_locked(pay.workspace, o.id) from (
    select unnest(members) collate "C" as id union
    select x.account from earning x where x.workspace = pay.workspace and x.payment = pay.id order by 1
  ) o;
  for m in select * from account where workspace = pay.workspace and id = any (members) order by id loop
    continue when payment_left_to_invoice(pay, m, on_time, p_again);
    matched := earning_award(pay.workspace, m.id, 'payment.completed', pay.id, pay.id, pay.amount_charged,
      pay.currency, pay.metadata,
      jsonb_build_object('payment', pay.id, 'amount', pay.amount_charged, 'currency', pay.currency),
      on_time, p_at, p_again);
    pay.award := case when matched > 0 or pay.award = 'awarded' then 'awarded'
      when matched < 0 then 'account_closed' else pay.award end;
  end loop;
  if pay.refunds <> '[]' or pay.disputes <> '[]' then
    for e in
      select * from earning where workspace = pay.workspace and payment = pay.id order by account, id
    loop
      perform earning_settle(e, pay, p_at);
    end loop;
  end if;
  perform tier_spend_of_payment(pay, members, p_at);
  if judge then
    update payment set award = pay.award where workspace = pay.workspace and id = pay.id;
  end if;
  return pay;
end $$;

-- Works off everything that waits for a source: a payment, or an invoice, subscription or referral that
-- earns by itself. Credits what has matured, then marks its inbox rows processed. `returns` are
-- redemptions that a refund asked to reverse: the caller reverses them and calls again, and only then
-- is the inbox marked. `matures_at` is when the next pending earning is due; `welcomes` are accounts enrolled here whose
-- own pending earning waits for a run of theirs. Idempotent.
create or replace function payment_process(p_workspace text, p_id text, p_at timestamptz) returns jsonb
language plpgsql as $$
declare
  pay payment;
  i inbox;
  returns jsonb := '[]';
  welcomes jsonb := '[]';
  matures_at timestamptz;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into pay from payment where workspace = p_workspace and id = p_id for update;
  if not found then
    perform source_lock(p_workspace, p_id); -- as payment_receive does: the payment of an invoice may come meanwhile
  elsif pay.status = 'completed' then
    pay := payment_settle(pay, false, p_at);
    returns := payment_returns(pay);
  end if;
  for i in
    select * from inbox where workspace = p_workspace and payment = p_id and processed_at is null and facts is not null
    order by received_at, id
  loop
    perform earning_of_event(i, p_at);
  end loop;
  matures_at := earnings_mature(p_workspace, p_id, p_at);
  if pay.customer is not null and exists (select from program where workspace = p_workspace and auto_enroll) then
    select coalesce(jsonb_agg(distinct e.source), '[]') into welcomes
    from account a join earning e on e.workspace = a.workspace and e.account = a.id and e.source = a.id
    where a.workspace = p_workspace and a.customer = pay.customer and e.outcome = 'pending' and e.created_at = p_at;
  end if;
  if returns = '[]' then
    update inbox set processed_at = p_at
    where workspace = p_workspace and payment = p_id and processed_at is null;
  end if;
  return case when pay.id is null then jsonb_build_object('outcome', 'processed', 'subject', p_id)
      else payment_outcome(pay, 'processed', false) end
    || jsonb_build_object('returns', returns, 'matures_at', matures_at, 'welcomes', welcomes);
end $$;

-- The redemptions that a standing refund of the payment asked to reverse and that are not yet.
create or replace function payment_returns(pay payment) returns jsonb
language plpgsql stable as $$
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object('refund', x.refund, 'redemption', x.redemption)), '[]')
    from (
      select d.id as redemption, min(r.id) as refund
      from refund r
      join redemption d on d.workspace = r.workspace and d.payment = r.payment and d.status in ('pending', 'applied')
      where r.workspace = pay.workspace and r.payment = pay.id and r.return_redemption and r.status <> 'failed'
      group by d.id
    ) x);
end $$;

-- What an event other than a payment's earns, by its facts: trigger, customer, metadata, amount,
-- currency, noun (subscription, invoice, referral) and, where it names one, the payment whose refunds take it back.
-- An invoice that its payment names has it too; and where that has earned in a program, the invoice does not.
create or replace function earning_of_event(i inbox, p_at timestamptz) returns void
language plpgsql as $$
declare
  pay payment;
  m account;
  e earning;
  paid_by text := coalesce(i.facts ->> 'payment', payment_of_invoice(i.workspace, i.payment));
  on_time timestamptz := least(i.received_at, (i.facts ->> 'at')::timestamptz);
begin
  select * into pay from payment where workspace = i.workspace and id = paid_by for update;
  perform earning_enrol(i.workspace, i.facts ->> 'customer', i.facts -> 'metadata', on_time, p_at);
  for m in
    select x.* from earning_members(i.workspace, i.facts ->> 'customer', i.facts -> 'metadata', on_time) x order by x.id
  loop
    continue when i.facts ->> 'trigger' = 'invoice.paid' and exists (
      select from earning x
      where x.workspace = i.workspace and x.payment = paid_by and x.source = paid_by and x.program = m.program
        and x.outcome <> 'none');
    perform earning_award(i.workspace, m.id, i.facts ->> 'trigger', i.payment, paid_by,
      (i.facts ->> 'amount')::bigint, i.facts ->> 'currency', i.facts -> 'metadata',
      jsonb_strip_nulls(jsonb_build_object('event', i.id, i.facts ->> 'noun', i.payment, 'payment', paid_by,
        'amount', (i.facts ->> 'amount')::bigint, 'currency', i.facts ->> 'currency')),
      on_time, p_at);
  end loop;
  if pay.status = 'completed' and pay.invoice = i.payment then
    if pay.award <> 'awarded' then
      pay.award := null; -- what it left to the invoice may be its own after all
    end if;
    perform payment_settle(pay, false, p_at);
  elsif pay.status = 'completed' then
    for e in
      select * from earning where workspace = i.workspace and source = i.payment and payment = pay.id order by account, id
    loop
      perform earning_settle(e, pay, p_at);
    end loop;
  end if;
end $$;

-- The manual award of a completed payment: members as they are now, each rule once for each account.
-- Outcomes: replayed (with what the payment has earned); refused (account_closed); missing; open.
create or replace function payment_replay_award(p_workspace text, p_id text, p_at timestamptz) returns jsonb
language plpgsql as $$
declare
  pay payment;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into pay from payment where workspace = p_workspace and id = p_id for update;
  if not found then
    return '{"outcome": "missing"}';
  end if;
  if pay.status <> 'completed' then
    return payment_outcome(pay, 'open', false);
  end if;
  pay := payment_settle(pay, true, p_at);
  if pay.award = 'account_closed' then
    return '{"outcome": "refused", "refusal": {"code": "account_closed"}}';
  end if;
  return payment_outcome(pay, 'replayed', true);
end $$;
