-- A payment's change and all that follows from it are one transaction: its status, what it earns or takes back,
-- and each redemption attached to it applied, released or returned.

-- Changes a payment, whose row is locked or not written yet (`p_known` false), and does all that follows. Where that
-- fails, only that is undone: the payment's own change stays, the answer says why in `failure`, the payment's outbox
-- row says so, and its workflow does all again (payment_process). `p_change`: `kind` (create, move, event, refund;
-- part: an event without a whole payment, which may be unknown; again: nothing new), `outcome` (what is answered),
-- `event` and `endpoint` (its inbox row), `type` (of the event), `named` (redemptions_named), and what its kind needs.
-- Refusals (VR001) undo all of it.
create or replace function payment_change(pay payment, p_known boolean, p_change jsonb, p_at timestamptz) returns jsonb
language plpgsql as $$
declare
  most_tries constant int := 3; -- then somebody else's turn is longer than this request should wait
  context text;
  failure jsonb;
begin
  if not payment_has_consequences(pay, p_known, p_change) then
    return payment_changed(pay, p_known, p_change, 'alone', p_at);
  end if;
  for try in 1 .. most_tries loop
    begin -- a savepoint: some 10 microseconds, and none where nothing follows
      return payment_changed(pay, p_known, p_change, 'all', p_at);
    exception
      when sqlstate 'VR001' then
        raise;
      when query_canceled or others then -- others leaves a statement's timeout out
        get stacked diagnostics context = pg_exception_context;
        failure := jsonb_build_object('message', sqlerrm, 'code', sqlstate, 'context', context);
        exit when sqlstate not in ('40001', '40P01'); -- rolled back for another's sake, its locks too
    end;
  end loop;
  return payment_changed(pay, p_known, p_change, 'unfinished', p_at)
    || jsonb_build_object('failure', failure, 'waiting', true);
end $$;

-- The status that the change brings the payment to, as far as it can be told before it is made.
create or replace function payment_status_after(pay payment, p_change jsonb) returns text
language plpgsql stable as $$
begin
  if p_change ->> 'kind' = 'create' and payment_is_covered(pay, p_change -> 'named') then
    return 'completed';
  elsif payment_rank(p_change ->> 'status') > payment_rank(pay.status) then
    return p_change ->> 'status';
  end if;
  return pay.status;
end $$;

-- Whether more follows than the payment's own row.
create or replace function payment_has_consequences(pay payment, p_known boolean, p_change jsonb) returns boolean
language plpgsql stable as $$
declare
  status_after text := payment_status_after(pay, p_change);
begin
  if p_change ->> 'kind' = 'again' or p_change -> 'has_facts' = 'true' or status_after = 'completed' then
    return true;
  elsif p_change ->> 'kind' = 'create' and p_change -> 'store_credit' <> 'null' then
    return true; -- it may pay for all of it
  end if;
  return coalesce(status_after in ('failed', 'canceled', 'expired'), false) and (
    p_change -> 'named' <> '[]' or p_known and exists (
      select from redemption d where d.workspace = pay.workspace and d.payment = pay.id and d.status = 'pending'));
end $$;

-- Makes the change as far as `p_mode` says: `all` of it; the payment `alone`, from which nothing follows; or
-- `unfinished`, what follows left to its workflow. Locks, in this order: the payment (held), enrolment, accounts,
-- redemptions, rewards.
create or replace function payment_changed(
  pay payment, p_known boolean, p_change jsonb, p_mode text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  judgement record;
  before payment;
  status_after text;
  known_to_mature timestamptz;
  matures_at timestamptz;
  snapshot jsonb;
begin
  pay.revision := next_revision(pay.revision);
  before := pay;
  if p_mode = 'all' and (pay.award is not null or p_change ->> 'kind' in ('again', 'part')) then
    known_to_mature := earning_next_maturity(pay.workspace, pay.id);
  end if;
  if p_mode = 'all' and pay.status is not null then
    status_after := payment_status_after(pay, p_change);
    judgement := payment_judgement(pay, status_after = 'completed', false,
      least(p_at, (p_change ->> 'completed_at')::timestamptz), p_at);
    perform payment_accounts_lock(pay, p_known, p_change, judgement.members);
  elsif p_mode = 'alone' and p_change -> 'named' <> '[]' then
    perform payment_accounts_lock(pay, p_known, p_change, '{}');
  elsif pay.store_credit_account is not null then
    perform accounts_lock(pay.workspace, array[pay.store_credit_account::text]);
  end if;
  case p_change ->> 'kind'
    when 'create' then pay := payment_open(pay, p_change, p_at);
    when 'move' then pay := payment_advance(pay, p_change ->> 'status', null, p_at);
    when 'event' then pay := payment_told(pay, p_known, p_change, p_at);
    when 'refund' then pay := payment_refund(pay, p_change, p_at);
    when 'part' then pay := payment_refunds_put(pay, coalesce(p_change -> 'refunds', '[]'), p_at);
    else null;
  end case;
  snapshot := to_jsonb(pay);
  perform payment_event(pay, snapshot, p_change, p_mode, p_at);
  if p_mode = 'all' and pay.status = 'completed' then
    if status_after <> 'completed' then -- its store credit covers all of it
      judgement := payment_judgement(pay, true, false, p_at, p_at);
      perform accounts_lock(pay.workspace, judgement.members);
    end if;
    pay := payment_settle(pay, judgement.judge, judgement.members, judgement.award, judgement.metadata, false, p_at);
  end if;
  if pay.status is not null and (p_change ->> 'kind' not in ('part', 'again') or pay is distinct from before) then
    perform payment_write(pay, p_known);
  end if;
  if p_mode = 'all' then
    perform payment_redemptions_follow(pay, p_known, p_change, p_at);
    perform earnings_of_events(pay.workspace, pay.id, p_at);
    matures_at := earnings_mature(pay.workspace, pay.id, p_at);
  end if;
  perform payment_outbox(pay, case when p_known then before.status end, p_known,
    case when matures_at < coalesce(known_to_mature, 'infinity') then matures_at end, p_mode = 'unfinished');
  return jsonb_build_object('outcome', p_change -> 'outcome', 'subject', pay.id, 'waiting', false,
    'matures_at', iso(matures_at)) || case when pay.status is null then '{}' else jsonb_build_object('payment', snapshot) end;
end $$;

-- The event of the change for webhooks; a sandbox payment's is in the inbox too, as a provider's would be. Where
-- what follows is left, the inbox row is not processed.
create or replace function payment_event(
  pay payment, p_snapshot jsonb, p_change jsonb, p_mode text, p_at timestamptz
) returns void
language plpgsql as $$
declare
  type text := coalesce(p_change ->> 'type',
    'payment.' || case pay.status when 'requires_payment' then 'created' else pay.status end);
begin
  if p_change ->> 'kind' in ('create', 'move', 'refund') then
    perform inbox_put(pay.workspace, p_change ->> 'event', 'sandbox', type, pay.id,
      jsonb_build_object('type', type, 'data', jsonb_strip_nulls(jsonb_build_object('id', pay.id,
        'refund', p_change #> '{refund,id}'))),
      p_at, '', case when p_mode <> 'unfinished' then p_at end);
  elsif p_mode = 'unfinished' and p_change ? 'event' then
    update inbox set processed_at = null
    where workspace = pay.workspace and endpoint = p_change ->> 'endpoint' and id = p_change ->> 'event';
  end if;
  if p_change ->> 'kind' not in ('part', 'again') then
    perform event_write(pay.workspace, type, pay.id, p_snapshot, null, p_at);
  end if;
end $$;

-- Applies, releases or puts on record each redemption attached to a payment that has ended, and returns those that
-- its refunds asked for. The payment's row is written, the accounts' locks are held; redemptions are locked by id,
-- then the rewards that get stock back.
create or replace function payment_redemptions_follow(pay payment, p_known boolean, p_change jsonb, p_at timestamptz)
returns void
language plpgsql as $$
declare
  d redemption;
  status_before text;
  attached redemption[];
begin
  if pay.status not in ('completed', 'failed', 'canceled', 'expired') or not p_known and p_change -> 'named' = '[]' then
    return;
  end if;
  select array_agg(x.r order by (x.r).id) into attached from (
    select r from redemption r
    where r.workspace = pay.workspace and r.payment = pay.id
      and (r.status = 'pending' or r.status = 'released' and r.late_payment is null and pay.status = 'completed')
    order by r.id for update
  ) x;
  if attached is not null then
    perform stock_lock(pay.workspace, attached);
    foreach d in array attached loop
      status_before := d.status;
      d := redemption_follow(d, pay, p_at);
      perform redemption_outbox(status_before, d, pay.status);
    end loop;
  end if;
  if exists (select from jsonb_array_elements(pay.refunds) x where x ->> 'status' <> 'failed') then
    perform payment_redemptions_return(pay, p_at);
  end if;
end $$;

-- Reverses the redemptions that a standing refund of the payment asked for.
create or replace function payment_redemptions_return(pay payment, p_at timestamptz) returns void
language plpgsql as $$
declare
  refund_id text;
  d redemption;
  used redemption[];
  operation text;
  reversed jsonb;
begin
  select min(r.id) into refund_id from refund r
  where r.workspace = pay.workspace and r.payment = pay.id and r.return_redemption and r.status <> 'failed';
  if refund_id is null then
    return;
  end if;
  select array_agg(x.r order by (x.r).id) into used from (
    select r from redemption r
    where r.workspace = pay.workspace and r.payment = pay.id and r.status in ('pending', 'applied')
    order by r.id for update
  ) x;
  perform stock_lock(pay.workspace, used);
  foreach d in array coalesce(used, '{}') loop
    operation := 'refund:' || refund_id || ':' || d.id;
    reversed := redemption_reverse(pay.workspace, d.id, null, null, 'refund', operation, operation, p_at, null, null);
    if reversed ->> 'outcome' not in ('reversed', 'replayed') then
      raise exception 'redemption % of payment % is not returned: %', d.id, pay.id, reversed;
    end if;
  end loop;
end $$;

-- Works off everything that waits for a source: a payment, or an invoice, subscription or referral that
-- earns by itself. Credits what has matured; its inbox rows are processed then. `matures_at` is when the next pending
-- earning is due. Raises what stands against it. Idempotent. Outcomes: processed.
create or replace function payment_process(p_workspace text, p_id text, p_at timestamptz) returns jsonb
language plpgsql as $$
declare
  pay payment;
  known boolean;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into pay from payment where workspace = p_workspace and id = p_id for update;
  known := found;
  if not known then
    perform source_lock(p_workspace, p_id); -- as payment_take_in does: the payment of an invoice may come meanwhile
  end if;
  pay.workspace := p_workspace;
  pay.id := p_id;
  return payment_changed(pay, known, '{"kind": "again", "outcome": "processed", "named": []}', 'all', p_at);
end $$;
