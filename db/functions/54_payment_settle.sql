-- Whom a payment earns for, judged once, at the provider's completion time `p_on` (`p_again`, a replay, judges
-- members as they are now): enrols the customer where a program does so by itself. `judge` is false where it was
-- judged before, or does not complete (`p_completes`). `metadata` is its own beside its invoice's, for its rules to
-- be judged by. Locks no account but one that it enrols; the members are locked before payment_settle.
create or replace function payment_judgement(
  pay payment, p_completes boolean, p_again boolean, p_on timestamptz, p_at timestamptz,
  out judge boolean, out members text[], out award text, out metadata jsonb
)
language plpgsql as $$
declare
  facts jsonb;
  customer text := pay.customer;
  named boolean;
  on_time timestamptz := case when pay.status = 'completed' then coalesce(pay.completed_at, p_at) else p_on end;
begin
  judge := false;
  members := '{}';
  metadata := pay.metadata;
  if not p_completes then
    return;
  end if;
  if pay.invoice is not null then
    facts := invoice_facts(pay.workspace, pay.invoice);
    customer := coalesce(customer, facts ->> 'customer');
    metadata := coalesce(facts -> 'metadata', '{}') || metadata;
  end if;
  named := customer is not null or metadata ? 'loyalty_account'
    or metadata ? 'client_reference_id' and exists (select from account_named(pay.workspace, metadata));
  judge := p_again or pay.award is null or (pay.award = 'unnamed' and named);
  if not judge then
    return;
  end if;
  if named then
    perform earning_enrol(pay.workspace, customer, metadata, on_time, p_at);
    select coalesce(array_agg(x.id order by x.id), '{}') into members
    from earning_members(pay.workspace, customer, metadata, case when not p_again then on_time end) x;
  end if;
  award := case when cardinality(members) > 0 then 'no_rule' when named then 'no_member' else 'unnamed' end;
end $$;

-- All that a completed payment as it now stands earns, by payment_judgement: what it should have earned and what its
-- refunds should have taken back, against what is written; the difference is written. The locks of the payment and
-- of all its accounts are held. Returns the payment with its award, which the caller writes. Idempotent.
drop function if exists payment_settle(payment, boolean, timestamptz);
create or replace function payment_settle(
  pay payment, p_judge boolean, p_members text[], p_award text, p_metadata jsonb, p_again boolean, p_at timestamptz
) returns payment
language plpgsql as $$
declare
  m account;
  e earning;
  on_time timestamptz := coalesce(pay.completed_at, p_at);
  matched int;
begin
  if pay.invoice is not null then
    perform earnings_of_invoice(pay);
  end if;
  if p_judge then
    pay.award := p_award;
    for m in select * from account where workspace = pay.workspace and id = any (p_members) order by id loop
      continue when payment_left_to_invoice(pay, m, on_time, p_again);
      matched := earning_award(pay.workspace, m.id, 'payment.completed', pay.id, pay.id, pay.amount_charged,
        pay.currency, p_metadata,
        jsonb_build_object('payment', pay.id, 'amount', pay.amount_charged, 'currency', pay.currency),
        on_time, p_at, p_again);
      pay.award := case when matched > 0 or pay.award = 'awarded' then 'awarded'
        when matched < 0 then 'account_closed' else pay.award end;
    end loop;
  end if;
  if pay.refunds <> '[]' or pay.disputes <> '[]' then
    for e in
      select * from earning where workspace = pay.workspace and payment = pay.id order by account, id
    loop
      perform earning_settle(e, pay, p_at);
    end loop;
  end if;
  perform tier_spend_of_payment(pay, p_members, p_at);
  return pay;
end $$;

-- Works off the events of a source that earn by themselves, and marks all of its inbox rows processed.
create or replace function earnings_of_events(p_workspace text, p_source text, p_at timestamptz) returns void
language plpgsql as $$
declare
  i inbox;
begin
  for i in
    select * from inbox where workspace = p_workspace and payment = p_source and processed_at is null
    order by received_at, id
  loop
    if i.facts is not null then
      perform earning_of_event(i, p_at);
    end if;
    update inbox set processed_at = p_at where workspace = p_workspace and endpoint = i.endpoint and id = i.id;
  end loop;
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
  judgement record;
  members text[];
  paid_by text := coalesce(i.facts ->> 'payment', payment_of_invoice(i.workspace, i.payment));
  on_time timestamptz := least(i.received_at, (i.facts ->> 'at')::timestamptz);
begin
  select * into pay from payment where workspace = i.workspace and id = paid_by for update;
  perform earning_enrol(i.workspace, i.facts ->> 'customer', i.facts -> 'metadata', on_time, p_at);
  select coalesce(array_agg(x.id order by x.id), '{}') into members
  from earning_members(i.workspace, i.facts ->> 'customer', i.facts -> 'metadata', on_time) x;
  if pay.status = 'completed' then
    if pay.invoice = i.payment and pay.award <> 'awarded' then
      pay.award := null; -- what it left to the invoice may be its own after all
    end if;
    judgement := payment_judgement(pay, pay.invoice = i.payment, false, null, p_at);
    perform payment_accounts_lock(pay, true, '{"named": []}', members || judgement.members);
  else
    perform accounts_lock(i.workspace, members || array(
      select x.account::text from earning x where x.workspace = i.workspace and x.source = i.payment));
  end if;
  for m in
    select x.* from account x where x.workspace = i.workspace and x.id = any (members) order by x.id
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
    pay := payment_settle(pay, judgement.judge, judgement.members, judgement.award, judgement.metadata, false, p_at);
    pay.revision := next_revision(pay.revision);
    perform payment_write(pay, true);
    perform payment_outbox(pay, pay.status, true, earning_next_maturity(pay.workspace, pay.id), false);
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
  judgement record;
  known_to_mature timestamptz;
  matures_at timestamptz;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into pay from payment where workspace = p_workspace and id = p_id for update;
  if not found then
    return '{"outcome": "missing"}';
  end if;
  if pay.status <> 'completed' then
    return payment_outcome(pay, 'open');
  end if;
  judgement := payment_judgement(pay, true, true, null, p_at);
  perform payment_accounts_lock(pay, true, '{"named": []}', judgement.members);
  known_to_mature := earning_next_maturity(p_workspace, p_id);
  pay := payment_settle(pay, judgement.judge, judgement.members, judgement.award, judgement.metadata, true, p_at);
  if pay.award = 'account_closed' then
    return '{"outcome": "refused", "refusal": {"code": "account_closed"}}';
  end if;
  pay.revision := next_revision(pay.revision);
  perform payment_write(pay, true);
  matures_at := earnings_mature(p_workspace, p_id, p_at);
  perform payment_outbox(pay, pay.status, true,
    case when matures_at < coalesce(known_to_mature, 'infinity') then matures_at end, false);
  return payment_outcome(pay, 'replayed');
end $$;
