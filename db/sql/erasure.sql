-- The erasure of a member: all that says who they are goes, store by store, and every amount stays.

-- Asks for a member's erasure: the account is closed, and its workflow starts. One that is under
-- way is only looked at again; one that was completed is done once more, for what was written
-- since. Outcomes: requested; unchanged; replayed. Refused: resource_missing; account_merged.
-- @returns ErasureAnswer
-- @null p_key
create or replace function ledger.account_erase(
  p_workspace text, p_id text, p_route text, p_key text, p_fingerprint text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  account_row account;
  erasure_row erasure;
  outcome text := 'requested';
begin
  if command_start(p_workspace, p_route, p_key, p_fingerprint, p_id, p_at) is not null then
    return jsonb_build_object('outcome', 'replayed', 'erasure', erasure_view(p_workspace, p_id));
  end if;
  account_row := account_to_change(p_workspace, p_id);
  if account_row.id is null then
    perform refuse(jsonb_build_object('code', 'resource_missing', 'account', p_id));
  end if;
  if account_row.status = 'active' then
    update account set status = 'closed' where workspace = p_workspace and id = p_id
      returning * into account_row;
    perform event_write(p_workspace, 'loyalty.account.closed', p_id, to_jsonb(account_row),
      '{"status": "active"}', p_at);
  end if;
  select * into erasure_row from erasure where workspace = p_workspace and account = p_id;
  if erasure_row.status in ('waiting', 'erasing') then
    outcome := 'unchanged';
  else
    insert into erasure as old (workspace, account, customers, requested_at, progressed_at)
    values (p_workspace, p_id, erasure_customers(p_workspace, p_id), p_at, p_at)
    on conflict (workspace, account) do update set status = 'waiting',
      customers = excluded.customers, requested_at = excluded.requested_at,
      progressed_at = excluded.progressed_at, found = null, searched_at = null, completed_at = null;
  end if;
  perform erasure_signal(p_workspace, p_id,
    case outcome when 'requested' then 'new' else 'changed' end);
  return jsonb_build_object('outcome', outcome, 'erasure', erasure_view(p_workspace, p_id));
end $$;

-- The erasure of a member, of a merged account's survivor; null where none was asked for.
-- @returns Snapshot | null
create or replace function ledger.erasure_view(p_workspace text, p_account text) returns jsonb
language plpgsql stable as $$
begin
  perform set_config('vinr.workspace', p_workspace, true);
  return (select to_jsonb(erasure) from erasure where erasure.workspace = p_workspace
    and erasure.account = account_survivor(p_workspace, p_account));
end $$;

-- What an erasure waits for, kept on its row: redemptions that are pending or to be fulfilled,
-- disputes that are open, imports on the way and approvals that name the member. Where there is
-- nothing it goes on. Null where there is no such erasure, or it is completed.
-- @returns ErasureWait[] | null
create or replace function ledger.erasure_check(
  p_workspace text, p_account text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  waits jsonb;
  member record;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  member := erasure_member(p_workspace, p_account);
  select coalesce(jsonb_agg(jsonb_build_object('object', wait.object, 'status', wait.status)
    order by wait.object), '[]') into waits
  from (
    select id as object, status from redemption
    where workspace = p_workspace and account = any (member.accounts)
      and status in ('pending', 'fulfillment_pending')
    union all
    select payment, 'disputed' from refund
    where workspace = p_workspace and payment = any (member.payments) and kind = 'dispute'
      and status = 'pending'
    union all
    select distinct bulk.id, 'importing' from bulk
    join bulk_chunk on bulk_chunk.workspace = bulk.workspace and bulk_chunk.bulk = bulk.id
    where bulk.workspace = p_workspace and bulk.status in ('waiting', 'running', 'paused')
      and bulk_chunk.posted_at is null and exists (
        select from jsonb_array_elements(bulk_chunk.rows) input
        where input ->> 'account' = any (member.accounts))
    union all
    select id, status from approval
    where workspace = p_workspace and status = 'pending'
      and approval_names(approval, member.accounts)
  ) wait;
  update erasure set waits_for = waits, checked_at = p_at, progressed_at = p_at,
    status = case when waits = '[]' then 'erasing' else 'waiting' end
  where workspace = p_workspace and account = p_account and status <> 'completed';
  return case when found then waits end;
end $$;

-- Removes what up to `p_limit` rows of one store say of the member, and counts them on the erasure.
-- How many they were: at 0 the store is done. A repeat finds none.
-- @param p_store ErasedStore
create or replace function ledger.erasure_seal(
  p_workspace text, p_account text, p_store text, p_limit int, p_at timestamptz
) returns int
language plpgsql security definer as $$
declare
  store record;
  member record;
  changed int;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into store from erasure_stores() where name = p_store;
  member := erasure_member(p_workspace, p_account);
  -- before anything of them is removed
  update erasure set payments = member.known where workspace = p_workspace and account = p_account;
  perform set_config('vinr.erasing', 'on', true);
  execute format('update %1$I set %4$s where ctid = any (array(
      select ctid from %1$I where workspace = $1 and %2$s and (%3$s) limit $6))',
    store.relation, store.of_member, store.personal, store.erased)
  using p_workspace, member.accounts, member.payments, member.objects, member.subjects, p_limit;
  get diagnostics changed = row_count;
  perform set_config('vinr.erasing', '', true);
  update erasure set progressed_at = p_at, shared = to_jsonb(member.shared), stores = stores
    || jsonb_build_object(p_store, coalesce((stores ->> p_store)::int, 0) + changed)
  where workspace = p_workspace and account = p_account;
  return changed;
end $$;

-- Searches again, past what was sealed: rows that still say something of the member, and rows of
-- theirs that have one of their names anywhere, by store. Where there is none the erasure is
-- completed and forgets by whom it searched; else it goes on. Answers what it found.
-- @returns Record<string, number>
create or replace function ledger.erasure_certify(
  p_workspace text, p_account text, p_at timestamptz
) returns jsonb
language plpgsql security definer as $$
declare
  store record;
  member record;
  customers text[];
  rows_found int;
  found_rows jsonb := '{}';
begin
  perform set_config('vinr.workspace', p_workspace, true);
  -- so that nothing is written of the account meanwhile
  perform pg_advisory_xact_lock(hashtextextended(p_workspace || p_account, 0));
  member := erasure_member(p_workspace, p_account);
  select erasure.customers into customers from erasure
  where workspace = p_workspace and account = p_account;
  for store in select * from erasure_stores() loop
    execute format('select count(*)::int from %1$I where workspace = $1 and %2$s
        and ((%3$s) or exists (select from unnest($6) named
          where strpos(to_jsonb(%1$I)::text, to_jsonb(named)::text) > 0))',
      store.relation, store.of_member, store.personal)
    using p_workspace, member.accounts, member.payments, member.objects, member.subjects, customers
    into rows_found;
    if rows_found > 0 then
      found_rows := found_rows || jsonb_build_object(store.name, rows_found);
    end if;
  end loop;
  update erasure set found = found_rows, searched_at = p_at, progressed_at = p_at,
    status = case when found_rows = '{}' then 'completed' else 'erasing' end,
    completed_at = case when found_rows = '{}' then p_at end,
    customers = case when found_rows <> '{}' then erasure.customers end
  where workspace = p_workspace and account = p_account and status <> 'completed';
  return found_rows;
end $$;

-- What the reconciler looks for: erasures that nobody has looked at since `p_before`, the longest
-- first.
create or replace function ledger.erasures_stalled(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, account text)
language sql stable security definer as $$
  select workspace, account from erasure
  where status <> 'completed' and progressed_at <= p_before - interval '2 hours'
  order by progressed_at, workspace, account limit p_limit offset p_skip
$$;

-- Starts an erasure's workflow, or has it look again.
create or replace function ledger.erasure_outbox(p_workspace text, p_account text) returns void
language plpgsql as $$
begin
  perform set_config('vinr.workspace', p_workspace, true);
  perform erasure_signal(p_workspace, p_account, 'changed');
end $$;

-- Wakes the erasure's run once this commits, or starts it.
create or replace function ledger_private.erasure_signal(
  p_workspace text, p_account text, p_change text
) returns void
language plpgsql as $$
begin
  perform outbox_write(p_workspace, 'erasure/' || p_workspace || '/' || p_account, 'erasure',
    jsonb_build_object('workspace', p_workspace, 'account', p_account), null, '{}', null, p_change);
end $$;

-- Whether an account is being erased, or was: it stays closed, and nobody's.
create or replace function ledger_private.account_is_erased(
  p_workspace text, p_account text
) returns boolean
language plpgsql stable as $$
begin
  return exists (select from erasure where workspace = p_workspace and account = p_account);
end $$;

-- By whom a member is known elsewhere: the customers of the account and of what was merged into it.
create or replace function ledger_private.erasure_customers(
  p_workspace text, p_account text
) returns text[]
language plpgsql stable as $$
begin
  return array(select distinct customer from account
    where workspace = p_workspace and id in (select account_family(p_workspace, p_account))
      and customer is not null);
end $$;

-- What is a member's, by the ids that stores name. Payments that another account, which nobody
-- erases, has a part in are `shared`, and left to it: of the same customer in another program, or
-- whose points moved with them. `known` are both, those found before among them. `subjects` are the
-- payments and their invoices, of which the inbox speaks.
create or replace function ledger_private.erasure_member(
  p_workspace text, p_account text, out accounts text[], out payments text[], out objects text[],
  out subjects text[], out shared text[], out known text[]
)
language plpgsql stable as $$
declare
  named text[];
  redemptions text[];
begin
  accounts := array(select account_family(p_workspace, p_account));
  named := coalesce((select customers from erasure where workspace = p_workspace
    and account = p_account), '{}');
  redemptions := array(select id from redemption where workspace = p_workspace
    and account = any (accounts));
  known := array(
    select unnest(erasure.payments) from erasure
    where workspace = p_workspace and account = p_account
    union
    select payment from ptx where workspace = p_workspace and account = any (accounts)
      and payment is not null
    union
    select payment from redemption where workspace = p_workspace and account = any (accounts)
      and payment is not null
    union
    select payment from credit_transaction where workspace = p_workspace
      and account = any (accounts) and payment is not null
    union
    select id from payment where workspace = p_workspace and customer = any (named));
  shared := array(
    select payment.id from payment
    where payment.workspace = p_workspace and payment.id = any (known) and (
      exists (select from account other where other.workspace = p_workspace
        and other.customer = payment.customer and other.id <> all (accounts)
        and not account_is_erased(p_workspace, account_survivor(p_workspace, other.id)))
      or exists (select from ptx where ptx.workspace = p_workspace and ptx.payment = payment.id
        and ptx.account <> all (accounts)
        and not account_is_erased(p_workspace, account_survivor(p_workspace, ptx.account))))
    order by payment.id);
  payments := array(select id from unnest(known) id where id <> all (shared));
  subjects := payments || array(select invoice from payment where workspace = p_workspace
    and id = any (payments) and invoice is not null);
  objects := accounts || redemptions || payments
    || array(select 'crd' || substr(id, 4) from unnest(redemptions) id)
    || array(select id from reported_event where workspace = p_workspace
      and account = any (accounts));
end $$;

-- The stores of an erasure in their order: whose rows are the member's ($2 accounts, $3 payments,
-- $4 objects, $5 subjects of events), which of them say something of a person, and what they are
-- made. Ids, amounts, times and fingerprints stay.
create or replace function ledger_private.erasure_stores()
returns table (name text, relation text, of_member text, personal text, erased text)
language sql stable as $$
  values
    ('identities', 'member_identity', 'account = any ($2)',
      'revoked_at is null or label is not null or last_by is not null or value <> id',
      'value = id, label = null, last_by = null,
        revoked_at = coalesce(revoked_at, clock_timestamp())'),
    ('transactions', 'ptx', 'account = any ($2)',
      $x$metadata <> '{}' or reason <> reason_erased(reason)$x$,
      $x$metadata = '{}', reason = reason_erased(reason)$x$),
    ('redemptions', 'redemption', 'account = any ($2)',
      $x$metadata <> '{}' or reason <> reason_erased(reason)
        or fulfillment <> fulfillment_erased(fulfillment)$x$,
      $x$metadata = '{}', reason = reason_erased(reason),
        fulfillment = fulfillment_erased(fulfillment)$x$),
    ('payments', 'payment', 'id = any ($3)',
      $x$erased_at is null or customer is not null or metadata <> '{}'$x$,
      $x$customer = null, metadata = '{}', erased_at = coalesce(erased_at, clock_timestamp())$x$),
    ('refunds', 'refund', 'payment = any ($3)',
      $x$metadata <> '{}' or reason is not null$x$, $x$metadata = '{}', reason = null$x$),
    ('tier_changes', 'tier_change', 'account = any ($2)', 'note is not null', 'note = null'),
    ('reported_events', 'reported_event', 'account = any ($2)', 'user_id <> account',
      'user_id = account'),
    ('events', 'event', 'object = any ($4) and data is not null',
      'data <> event_erased(data) or previous <> event_erased(previous)',
      'data = event_erased(data), previous = event_erased(previous)'),
    ('deliveries', 'webhook_delivery',
      'event = any (array(select events_of_member($1, $2, $4)))',
      $x$jsonb_path_exists(attempts, '$[*].response_body')$x$,
      $x$attempts = (select jsonb_agg(attempt - 'response_body' order by no)
        from jsonb_array_elements(attempts) with ordinality entry (attempt, no))$x$),
    ('inbox', 'inbox', 'payment = any ($5) and processed_at is not null',
      $x$payload is distinct from '{"erased": true}'
        or facts <> facts || '{"customer": null, "metadata": {}}'$x$,
      $x$payload = '{"erased": true}',
        facts = facts || '{"customer": null, "metadata": {}}'$x$),
    ('attention', 'attention', 'object = any ($4)',
      $x$details ? 'payload' or decision ? 'reason' and decision ->> 'reason' <> 'erased'$x$,
      $x$details = details - 'payload',
        decision = decision || '{"reason": "erased"}'$x$),
    ('approvals', 'approval', 'approval_names(approval, $2)',
      $x$command ? 'rows' or reason is not null or note is not null$x$,
      $x$command = command - 'rows', reason = null, note = null$x$),
    ('accounts', 'account', 'id = any ($2)',
      $x$customer is not null or former_customers <> '{}' or metadata <> '{}'$x$,
      $x$customer = null, former_customers = '{}', metadata = '{}'$x$)
$$;

-- A reason as it stays: one of the ledger's own words is nobody's, what somebody wrote is gone.
create or replace function ledger_private.reason_erased(p_reason text) returns text
language sql stable as $$
  select case when p_reason = any ('{expiry,merge,deficit,reversal,refund_failed,refunded,expired,
    overdue,canceled,canceled_at_till,canceled_by_operator,payment_failed,payment_canceled,
    payment_expired,erased}')
    then p_reason when p_reason is not null then 'erased' end
$$;

-- What somebody had to hand over, without to whom and by which parcel.
create or replace function ledger_private.fulfillment_erased(p_fulfillment jsonb) returns jsonb
language sql stable as $$
  select case when jsonb_typeof(p_fulfillment) <> 'object' then p_fulfillment else
    p_fulfillment
    || case when p_fulfillment ? 'shipping' then '{"shipping": null}'::jsonb else '{}' end
    || case when p_fulfillment ? 'tracking' then '{"tracking": null}'::jsonb else '{}' end
    || case when jsonb_typeof(p_fulfillment -> 'shipments') = 'array' then
      jsonb_build_object('shipments', (
        select coalesce(jsonb_agg(case when parcel ? 'tracking'
          then parcel || '{"tracking": null}' else parcel end order by no), '[]')
        from jsonb_array_elements(p_fulfillment -> 'shipments') with ordinality entry (parcel, no)))
      else '{}' end
  end
$$;

-- What an event keeps of its object without whom it was about. Of a payload the points stay, by
-- which the event can be reversed.
create or replace function ledger_private.event_erased(p_data jsonb) returns jsonb
language sql stable as $$
  select p_data || coalesce((
    select jsonb_object_agg(key, case
      when key = 'metadata' then '{}'::jsonb
      when key = 'payload' then case when jsonb_typeof(value -> 'points') = 'number'
        then jsonb_build_object('points', value -> 'points') else '{}' end
      when key = 'former_customers' then '[]'
      when key = 'reason' and jsonb_typeof(value) = 'string'
        then to_jsonb(reason_erased(value #>> '{}'))
      when key = 'fulfillment' then fulfillment_erased(value)
      when key = 'user' and p_data ? 'account' then p_data -> 'account'
      else 'null' end)
    from jsonb_each(p_data)
    where key in ('customer', 'former_customers', 'metadata', 'payload', 'reason', 'note', 'label',
      'fulfillment', 'user', 'order_number')), '{}')
$$;

-- The ids of a member's events; that of a ptx is made of the ptx's.
create or replace function ledger_private.events_of_member(
  p_workspace text, p_accounts text[], p_objects text[]
) returns setof text
language plpgsql stable as $$
begin
  if not exists (select from webhook_endpoint where workspace = p_workspace) then
    return;
  end if;
  return query
    select 'evt' || substr(id, 4) from ptx
    where workspace = p_workspace and account = any (p_accounts)
    union
    select event.id::text from event
    where event.workspace = p_workspace and event.object = any (p_objects)
      and event.data is not null;
end $$;
