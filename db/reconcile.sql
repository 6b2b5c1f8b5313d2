-- Proves the books, account by account. Returns one row for every line that does not hold; none is
-- the only good answer. Needs the owner's eyes (row security).
with recursive
-- what a merged account had is its survivor's
survivor (workspace, id, stands_for) as (
  select workspace, id, id from account where merged_into is null
  union all
  select a.workspace, a.id, s.stands_for
  from survivor s join account a on a.workspace = s.workspace and a.merged_into = s.id
),
posted as (
  select workspace, account, sum(amount) as total from ptx group by 1, 2
),
returned as (
  select workspace, reverses as debit, sum(amount) as points from ptx
  where reverses is not null and amount > 0 group by 1, 2
),
allocated as (
  select workspace, debit, sum(amount) as points from allocation group by 1, 2
),
debits as (
  select t.workspace, t.id, t.account, -t.amount - coalesce(r.points, 0) as owed,
    coalesce(a.points, 0) as allocated,
    -t.amount - coalesce(r.points, 0) - coalesce(a.points, 0) as unfunded
  from ptx t
  left join returned r on r.workspace = t.workspace and r.debit = t.id
  left join allocated a on a.workspace = t.workspace and a.debit = t.id
  -- the rows of a merge are none, but what was taken over from a former account is
  where t.amount < 0 and (t.type <> 'merge' or t.source ? 'deficit_from')
),
deficits as (
  select d.workspace, s.stands_for as account, sum(d.unfunded) as points
  from debits d join survivor s on s.workspace = d.workspace and s.id = d.account group by 1, 2
),
gained as (
  select t.workspace, s.stands_for as account, sum(t.amount) as points
  from ptx t join survivor s on s.workspace = t.workspace and s.id = t.account
  where t.amount > 0 and t.type in ('earn', 'adjust') group by 1, 2
),
lots as (
  select workspace, account, sum(remaining) as points from lot group by 1, 2
),
taken as (
  select workspace, lot, sum(amount) as points from allocation group by 1, 2
),
broken (workspace, subject, rule, detail) as (
  select a.workspace, a.id, 'balance = sum(ptx.amount)',
    format('balance %s, sum %s', a.balance, coalesce(p.total, 0))
  from account a left join posted p on p.workspace = a.workspace and p.account = a.id
  where a.balance <> coalesce(p.total, 0)
  union all
  select a.workspace, a.id, 'balance = open lots - unfunded debits',
    format('balance %s, lots %s, unfunded %s', a.balance, coalesce(l.points, 0), coalesce(d.points, 0))
  from account a
  left join lots l on l.workspace = a.workspace and l.account = a.id
  left join deficits d on d.workspace = a.workspace and d.account = a.id
  where a.balance <> coalesce(l.points, 0) - coalesce(d.points, 0)
  union all
  select a.workspace, a.id, 'below zero no lot has anything left',
    format('balance %s, lots %s, unfunded %s', a.balance, l.points, d.points)
  from account a
  join lots l on l.workspace = a.workspace and l.account = a.id
  join deficits d on d.workspace = a.workspace and d.account = a.id
  where l.points > 0 and d.points > 0
  union all
  select workspace, id, 'a debit is never given back or funded beyond its points',
    format('owed %s, allocated %s', owed, allocated)
  from debits where owed < 0 or allocated < 0 or unfunded < 0
  union all
  select l.workspace, l.id, 'lot = points - allocations',
    format('points %s, remaining %s, allocated %s', l.points, l.remaining, coalesce(t.points, 0))
  from lot l left join taken t on t.workspace = l.workspace and t.lot = l.id
  where l.remaining <> l.points - coalesce(t.points, 0)
  union all
  select t.workspace, t.id, 'a redemption''s debits are returned by what its state says',
    format('status %s, points %s, reversed %s, returned %s', d.status, d.points, d.reversed_points, coalesce(r.points, 0))
  from redemption d
  join ptx t on t.workspace = d.workspace and t.id = d.transaction
  left join returned r on r.workspace = d.workspace and r.debit = d.transaction
  where coalesce(r.points, 0) <> case d.status when 'released' then d.points else d.reversed_points end
    or t.amount <> -d.points
  union all
  select d.workspace, d.id, 'a redemption has its account and its reward', format('account %s, reward %s', d.account, d.reward)
  from redemption d
  where not exists (select from account a where a.workspace = d.workspace and a.id = d.account)
    or not exists (select from reward r where r.workspace = d.workspace and r.id = d.reward)
  union all
  select d.workspace, d.id, 'what is reversed is returned wholly: all points and all of the quantity',
    format('status %s, points %s of %s, quantity %s of %s', d.status, d.reversed_points, d.points, d.reversed_quantity, d.quantity)
  from redemption d
  where (d.status = 'reversed') <> ledger_private.redemption_is_returned(d)
    or d.status = 'reversed' and d.reversed_quantity <> d.quantity
    or d.status = 'released' and d.reversed_points + d.reversed_quantity <> 0
  union all
  select d.workspace, d.id, 'an item waits while something is left to ship, and its parcels add up',
    format('status %s, overdue at %s, %s', d.status, d.overdue_at, d.fulfillment - 'shipping')
  from redemption d
  where d.fulfillment ? 'shipped' and (
    (d.status = 'fulfillment_pending') <> (d.overdue_at is not null)
    or d.status = 'fulfillment_pending' and ledger_private.fulfillment_left(d) <= 0
    or d.status = 'fulfilled' and ledger_private.fulfillment_left(d) <> 0
    or ledger_private.fulfillment_left(d) < 0
    or (d.fulfillment ->> 'shipped')::int <> coalesce((
      select sum((x ->> 'quantity')::int) from jsonb_array_elements(d.fulfillment -> 'shipments') x), 0)
    or (select count(*) from event e where e.workspace = d.workspace and e.object = d.id
      and e.type = 'loyalty.redemption.fulfilled') <> (d.fulfilled_at is not null)::int)
  union all
  select d.workspace, d.id, 'what was refunded for a discount was refunded on its payment', d.payment_unaffected::text
  from redemption d
  where (d.payment_unaffected ->> 'refunded')::bigint <> coalesce((
    select sum(r.amount) from refund r where r.workspace = d.workspace and r.payment = d.payment_unaffected ->> 'payment'
      and d.payment_unaffected -> 'refunds' ? r.id), 0)
  union all
  select t.workspace, t.id, 'balance_after follows the one before',
    format('amount %s, balance_after %s, before %s', t.amount, t.balance_after, t.before)
  from (
    select workspace, id, amount, balance_after,
      coalesce(lag(balance_after) over (partition by workspace, account order by id), 0) as before
    from ptx
  ) t
  where t.balance_after <> t.before + t.amount
  union all
  select a.workspace, a.id, 'lifetime_points = all that was ever gained',
    format('lifetime %s, gained %s', a.lifetime_points, coalesce(g.points, 0))
  from account a left join gained g on g.workspace = a.workspace and g.account = a.id
  where a.lifetime_points <> coalesce(g.points, 0)
  union all
  select a.workspace, a.id, 'a merged account has nothing left, and a survivor',
    format('balance %s, lifetime %s, merged into %s', a.balance, a.lifetime_points, a.merged_into)
  from account a
  where (a.status = 'merged') <> (a.merged_into is not null)
    or not exists (select from survivor s where s.workspace = a.workspace and s.id = a.id)
    or a.status = 'merged' and (a.balance <> 0 or a.lifetime_points <> 0
      or exists (select from lot l where l.workspace = a.workspace and l.account = a.id)
      or exists (select from redemption d where d.workspace = a.workspace and d.account = a.id))
  union all
  select workspace, min(id), 'a merge''s two rows net to nothing', format('rows %s, sum %s', count(*), sum(amount))
  from ptx where type = 'merge' and operation like 'merge:%'
  group by workspace, coalesce(source ->> 'merged_from', account)
  having sum(amount) <> 0 or count(*) <> 2
  union all
  select t.workspace, t.id, 'a deficit leaves an account as it comes to another',
    format('%s of %s, the other %s', t.operation, t.amount, o.amount)
  from ptx t
  left join ptx o on o.workspace = t.workspace
    and o.operation = overlay(t.operation placing case when t.operation like 'deficit:into:%' then 'out' else 'into' end
      from 9 for case when t.operation like 'deficit:into:%' then 4 else 3 end)
  where t.type = 'merge' and t.operation like 'deficit:%' and (o.amount is distinct from -t.amount or o.account = t.account)
  union all
  select l.workspace, l.id, 'a lot is on the account of its credit, or where that went',
    format('lot on %s, credit on %s', l.account, t.account)
  from lot l
  left join ptx t on t.workspace = l.workspace and t.id = l.id
  left join survivor s on s.workspace = t.workspace and s.id = t.account
  where l.account is distinct from s.stands_for
  union all
  select a.workspace, a.id, 'the last change of tier is the tier', format('tier %s, last change %s', a.tier, c.to_tier)
  from account a
  join lateral (
    select c.to_tier from tier_change c where c.workspace = a.workspace and c.account = a.id order by c.id desc limit 1
  ) c on true
  where a.status <> 'merged' and c.to_tier is distinct from a.tier
  union all
  select a.workspace, a.id, 'once a program''s members were walked over, their tiers are its own', format('tier %s', a.tier)
  from tier_reassessment r
  join account a on a.workspace = r.workspace and a.program = r.program and a.status <> 'merged' and a.tier is not null
  join program p on p.workspace = r.workspace and p.id = r.program
  where r.ended_at is not null and ledger_private.tier_named(p, a.tier) is null
  union all
  select e.workspace, e.id, 'an earning''s ptx bring what its points and clawbacks say',
    format('%s: points %s, clawed %s, shrunk %s, earned %s, taken %s, clawed back %s', e.outcome, e.points, e.clawed,
      coalesce(c.shrunk, 0), coalesce(t.amount, 0), coalesce(c.taken, 0), coalesce(x.amount, 0))
  from earning e
  left join ptx t on t.workspace = e.workspace and t.id = e.transaction
  left join lateral (
    select sum(taken) as taken, sum(shrunk) as shrunk, sum(taken + shrunk + expired + forgiven) as share
    from clawback c where c.workspace = e.workspace and c.earning = e.id
  ) c on true
  left join lateral (
    select sum(case when z.reverses is null and z.amount > 0 then 0 else z.amount end) as amount,
      sum(case when z.reverses is null and z.amount > 0 then z.amount else 0 end) as unshrunk
    from ptx z
    where z.workspace = e.workspace and z.payment = e.payment and z.type = 'clawback'
      and (z.operation like 'claw:' || e.id || ':%' or z.operation like 'unclaw:' || e.id || ':%')
  ) x on true
  where coalesce(c.share, 0) <> e.clawed
    or coalesce(c.taken, 0) <> -coalesce(x.amount, 0)
    or (e.outcome = 'earned') <> (t.id is not null)
    or (e.outcome = 'earned' and t.amount + coalesce(x.unshrunk, 0) <> e.points - coalesce(c.shrunk, 0))
  union all
  select w.workspace, w.id, 'every clawback and payment earn belongs to an earning', format('operation %s', w.operation)
  from ptx w
  where w.operation ~ '^(earn|claw|unclaw):' and not exists (
    select from earning e where e.workspace = w.workspace
      and (e.transaction = w.id or e.id = split_part(w.operation, ':', 2)))
  union all
  select x.workspace, x.debit, 'every allocation names a debit and a lot', format('lot %s', x.lot)
  from allocation x
  where not exists (select from ptx t where t.workspace = x.workspace and t.id = x.debit)
    or not exists (select from lot l where l.workspace = x.workspace and l.id = x.lot)
  union all
  select a.workspace, a.id, 'an open lot with a date is never due before its account''s run and writes look',
    format('due %s, lots_due_from %s, expiry_wake_at %s', l.due, a.lots_due_from, a.expiry_wake_at)
  from account a
  join (
    select o.workspace, o.account, min(ledger.lot_due_at(o, x.activity_extends_to)) as due
    from lot o join account x on x.workspace = o.workspace and x.id = o.account
    where o.open and o.expires_at is not null group by 1, 2
  ) l on l.workspace = a.workspace and l.account = a.id
  where a.lots_due_from is null or a.lots_due_from > l.due or a.expiry_wake_at is null or a.expiry_wake_at > l.due
  union all
  -- at once where its day was past when the points came: not later than the account's last movement, or now
  select a.workspace, a.id, 'an open lot''s date that was not warned of is looked at by the day of its warning',
    format('due %s, %s days before, expiry_wake_at %s', l.due, p.expiry_warn_days_before, a.expiry_wake_at)
  from account a
  join program p on p.workspace = a.workspace and p.id = a.program and p.expiry_warn_days_before is not null
  join (
    select distinct o.workspace, o.account, ledger.lot_due_at(o, x.activity_extends_to) as due
    from lot o join account x on x.workspace = o.workspace and x.id = o.account
    where o.open and o.expires_at is not null
  ) l on l.workspace = a.workspace and l.account = a.id and l.due > clock_timestamp()
  where (a.expiry_wake_at is null or a.expiry_wake_at > greatest(ledger_private.expiry_check_at(p, l.due, '-infinity'), clock_timestamp(), (
      select max(t.at) from ptx t where t.workspace = a.workspace and t.account = a.id)))
    and not exists (
      select from expiry_warning w where w.workspace = a.workspace and w.account = a.id and w.expires_at = l.due)
  union all
  select t.workspace, t.reverses, 'an earn or adjust row is reversed once', format('%s reversals', count(*))
  from ptx t join ptx o on o.workspace = t.workspace and o.id = t.reverses
  where t.type = 'reverse' and o.type in ('earn', 'adjust')
  group by 1, 2 having count(*) > 1
  union all
  select coalesce(c.workspace, l.workspace), coalesce(c.program, l.program), 'daily totals = the rows they count',
    format('%s %s: total %s (%s rows), counted %s (%s rows)', coalesce(c.day, l.day), coalesce(c.part, l.part),
      l.amount, l.rows, c.amount, c.n)
  from (
    select t.workspace, t.program, (t.at at time zone 'UTC')::date as day, ledger_private.ptx_part(t) as part,
      sum(t.amount) as amount, count(*) as n
    from ptx t
    where t.id < ledger_private.vinr_id_from('ptx', coalesce((select through from ledger_rollup), 'epoch'))
    group by 1, 2, 3, 4
  ) c
  full join ledger_total l on l.workspace = c.workspace and l.program = c.program and l.day = c.day and l.part = c.part
  where l.amount is distinct from c.amount or l.rows is distinct from c.n
  union all
  select t.workspace, t.id, 'every ptx but a merge''s has its event', format('%s of %s, event %s', t.type, t.amount, e.type)
  from ptx t left join event e on e.workspace = t.workspace and e.id = 'evt' || substr(t.id, 4)
  where e.type is distinct from 'loyalty.points.' || case t.type
      when 'earn' then 'earned'
      when 'adjust' then case when t.amount > 0 then 'earned' else 'spent' end
      when 'redeem' then 'spent'
      when 'expire' then 'expired'
      when 'clawback' then case when t.amount > 0 then 'reversed' else 'clawed_back' end
      else 'reversed' end
    and t.type <> 'merge'
  union all
  select e.workspace, e.id, 'an event without data is a ptx''s', format('%s of %s', e.type, e.object)
  from event e left join ptx t on t.workspace = e.workspace and t.id = e.object
  where e.data is null and (t.id is null or e.id <> 'evt' || substr(t.id, 4))
  union all
  select d.workspace, d.id, 'a redemption has the events of what became of it',
    format('%s: %s', d.status, coalesce(e.types, 'none'))
  from redemption d
  left join lateral (
    select count(*) filter (where e.type = 'loyalty.redemption.created') as created,
      bool_or(e.type = 'loyalty.redemption.applied') as applied, bool_or(e.type = 'loyalty.redemption.released') as released,
      bool_or(e.type = 'loyalty.redemption.reversed') as reversed, string_agg(e.type, ', ' order by e.id) as types
    from event e where e.workspace = d.workspace and e.object = d.id and e.data is not null
  ) e on true
  where e.created <> 1
    or d.applied_at is not null and not e.applied
    or d.released_at is not null and not e.released
    or (d.reversed_points > 0 or d.reversed_at is not null) and not e.reversed
  union all
  select c.workspace, c.account, 'every change of tier but enrolment''s has its event',
    format('%s changes, %s events', c.changes, coalesce(e.events, 0))
  from (
    select workspace, account, count(*) as changes from tier_change where reason <> 'enrolled' group by 1, 2
  ) c
  left join lateral (
    select count(*) as events from event e
    where e.workspace = c.workspace and e.object = c.account and e.data is not null and e.type like 'loyalty.tier.%'
  ) e on true
  where c.changes <> coalesce(e.events, 0)
  union all
  select d.workspace, d.id, 'a delivery is of an event, to an endpoint', format('event %s, endpoint %s', d.event, d.endpoint)
  from webhook_delivery d
  left join event e on e.workspace = d.workspace and e.id = d.event
  left join webhook_endpoint w on w.workspace = d.workspace and w.id = d.endpoint
  where e.id is null or w.id is null
  union all
  select d.workspace, min(d.id), 'an event is delivered to an endpoint once, but for replays',
    format('event %s, endpoint %s: %s deliveries', d.event, d.endpoint, count(*))
  from webhook_delivery d where d.operation is null
  group by d.workspace, d.event, d.endpoint having count(*) > 1
  union all
  select d.workspace, d.id, 'a delivery''s state is what its tries say',
    format('%s after %s tries, %s kept, next %s, settled %s', d.status, d.attempt, jsonb_array_length(d.attempts),
      d.next_attempt_at, d.settled_at)
  from webhook_delivery d
  where d.attempt <> jsonb_array_length(d.attempts)
    or (d.status = 'pending') <> (d.next_attempt_at is not null)
    or (d.status = 'pending') <> (d.settled_at is null)
    or d.status = 'succeeded' and coalesce((d.attempts -> -1 ->> 'response_status')::int, 0) not between 200 and 299
  union all
  -- Not before ten seconds after the subscription began, nor after ten before it ended: a
  -- transaction that was under way then has seen the one or the other.
  select w.workspace, e.id, 'an event has a delivery to each endpoint that asked for it', format('endpoint %s', w.id)
  from webhook_endpoint w
  join event e on e.workspace = w.workspace and w.enabled_events && ledger_private.event_names(e.type)
    and e.type <> 'webhook_endpoint.test' and e.id >= ledger_private.vinr_id_from('evt', w.subscribed_since + interval '10 s')
    and (w.subscribed_until is null or e.id < ledger_private.vinr_id_from('evt', w.subscribed_until - interval '10 s'))
  left join webhook_delivery d
    on d.workspace = w.workspace and d.endpoint = w.id and d.event = e.id and d.operation is null
  where d.id is null
  union all
  select u.workspace, u.id, 'an event that reverses another undid its transactions, and nothing else',
    format('reverses %s, points %s, undone %s in %s rows of %s', u.reverses, u.points, t.amount, t.rows,
      jsonb_array_length(u.undone))
  from reported_event u
  left join reported_event o on o.workspace = u.workspace and o.event_id = u.reverses
  left join redemption d on d.workspace = o.workspace and d.id = o.redemption
  left join lateral (
    select sum(t.amount) as amount, count(*) as rows
    from jsonb_array_elements(u.undone) x
    join ptx t on t.workspace = u.workspace and t.id = x ->> 'transaction' and t.reverses = x ->> 'reverses'
      and t.amount = (x ->> 'amount')::bigint
    where d.transaction = t.reverses or exists (
      select from jsonb_path_query(o.outcomes, '$[*].reactions[*].transaction') y where y #>> '{}' = t.reverses)
  ) t on true
  where u.reverses is not null
    and (o.id is null or t.rows <> jsonb_array_length(u.undone) or coalesce(t.amount, 0) <> u.points)
  union all
  select d.workspace, d.id, 'a redemption took points, or an event gave it', format('points %s, transaction %s, event %s',
    d.points, d.transaction, d.metadata ->> 'event')
  from redemption d
  where (d.transaction is null) <> (d.points = 0) or d.points = 0 and not exists (
    select from reported_event e
    where e.workspace = d.workspace and e.event_id = d.metadata ->> 'event' and d.id = any (ledger_private.event_gifts(e)))
  union all
  select e.workspace, e.id, 'what an event gave is there', g.id
  from reported_event e cross join lateral unnest(ledger_private.event_gifts(e)) g (id)
  where not exists (
    select from redemption d where d.workspace = e.workspace and d.id = g.id and d.points = 0)
  union all
  select h.workspace, h.id, 'a held event''s points are its redemption''s', format('points %s, held %s', h.points, d.points)
  from reported_event h left join redemption d on d.workspace = h.workspace and d.id = h.redemption
  where h.redemption is not null and d.points is distinct from -h.points
  union all
  select coalesce(e.workspace, m.workspace), coalesce(e.id, m.event), 'a reported event moved what its outcomes say',
    format('says %s in %s rows and %s activations, moved %s in %s rows, counted %s', e.points, e.rows, e.activated,
      m.amount, m.rows, x.n)
  from (
    -- what undoes another event, and what holds points, is proved below
    select r.workspace, r.id, case when r.reverses is null and r.redemption is null then r.points else 0 end as points,
      count(z.value ->> 'transaction') as rows,
      count(distinct o.value ->> 'reactor') filter (where o.value ->> 'outcome' = 'activated') as activated
    from reported_event r
    left join lateral jsonb_array_elements(r.outcomes) o on true
    left join lateral jsonb_array_elements(o.value -> 'reactions') z on true
    group by 1, 2, 3
  ) e
  full join (
    select workspace, source ->> 'event' as event, sum(amount) as amount, count(*) as rows
    from ptx where source ? 'reactor' group by 1, 2
  ) m on m.workspace = e.workspace and m.event = e.id
  left join (
    select workspace, event, count(*) as n from reactor_activation group by 1, 2
  ) x on x.workspace = e.workspace and x.event = e.id
  where e.id is null or e.points <> coalesce(m.amount, 0) or e.rows <> coalesce(m.rows, 0)
    or e.activated <> coalesce(x.n, 0)
  union all
  select w.workspace, w.account, 'a wallet = sum(credit_transaction.amount) = what its credits have left',
    format('%s: balance %s, sum %s, remaining %s', w.currency, w.balance, coalesce(t.total, 0), coalesce(c.total, 0))
  from credit_wallet w
  left join (select workspace, account, currency, sum(amount) as total from credit_transaction group by 1, 2, 3) t
    on t.workspace = w.workspace and t.account = w.account and t.currency = w.currency
  left join (select workspace, account, currency, sum(remaining) as total from credit group by 1, 2, 3) c
    on c.workspace = w.workspace and c.account = w.account and c.currency = w.currency
  where w.balance <> coalesce(t.total, 0) or w.balance <> coalesce(c.total, 0)
  union all
  select c.workspace, c.id, 'a credit has left what its transactions say, and its account is where they ended',
    format('remaining %s, sum %s, issued %s', c.remaining, coalesce(t.total, 0), coalesce(t.issued, 0))
  from credit c
  left join (
    select workspace, credit, sum(amount) as total, sum(amount) filter (where type = 'issue') as issued
    from credit_transaction group by 1, 2
  ) t on t.workspace = c.workspace and t.credit = c.id
  where c.remaining <> coalesce(t.total, 0) or c.amount <> coalesce(t.issued, 0)
    or not exists (select from survivor s where s.workspace = c.workspace and s.id = c.account and s.stands_for = c.account)
    or c.remaining > 0 and not exists (
      select from credit_wallet w where w.workspace = c.workspace and w.account = c.account and w.currency = c.currency)
  union all
  select t.workspace, t.id, 'a wallet''s balance_after follows the one before',
    format('amount %s, balance_after %s, before %s', t.amount, t.balance_after, t.before)
  from (
    select workspace, id, amount, balance_after,
      coalesce(lag(balance_after) over (partition by workspace, account, currency order by id), 0) as before
    from credit_transaction
  ) t
  where t.balance_after <> t.before + t.amount
  union all
  select p.workspace, p.id, 'a payment''s refunded amount = its refunds that stand, and none is negative',
    format('%s, refunds %s, least %s', p.amount_refunded, coalesce(r.standing, 0), r.least)
  from payment p
  left join (
    select workspace, payment, sum(amount) filter (where kind = 'refund' and status <> 'failed') as standing,
      min(amount) as least
    from refund group by 1, 2
  ) r on r.workspace = p.workspace and r.payment = p.id
  where p.amount_refunded <> coalesce(r.standing, 0) or r.least < 0
  union all
  select s.workspace, s.payment, 'no payment counts less than nothing towards a tier', format('spend %s', s.amount)
  from tier_spend s where s.amount < 0
  union all
  select p.workspace, p.id, 'a payment''s store credit = what it spent less what came back',
    format('%s, spent %s', p.store_credit, coalesce(t.spent, 0))
  from payment p
  left join (
    select workspace, payment, -sum(amount) as spent from credit_transaction where payment is not null group by 1, 2
  ) t on t.workspace = p.workspace and t.payment = p.id
  where p.store_credit <> coalesce(t.spent, 0)
    or p.status in ('failed', 'canceled', 'expired') and p.store_credit <> 0
  union all
  select s.workspace, s.id, 'a spend comes back at most once', format('spent %s, returned %s', -s.amount, r.returned)
  from credit_transaction s
  join (
    select workspace, reverses, sum(amount) as returned from credit_transaction
    where type = 'return' group by 1, 2
  ) r on r.workspace = s.workspace and r.reverses = s.id
  where r.returned > -s.amount
  union all
  select d.workspace, d.id, 'what a redemption of store credit took back goes with its reversed points',
    format('amount %s, reversed points %s of %s, taken back %s', c.amount, d.reversed_points, d.points, coalesce(t.taken, 0))
  from redemption d
  join credit c on c.workspace = d.workspace and c.id = 'crd_' || substr(d.id, 5)
  left join (
    select workspace, credit, -sum(amount) as taken from credit_transaction where type = 'reverse' group by 1, 2
  ) t on t.workspace = c.workspace and t.credit = c.id
  where coalesce(t.taken, 0) <> case when d.points = 0 then case when d.status = 'reversed' then c.amount else 0 end
    else ceil(c.amount::numeric * d.reversed_points / d.points) end
  union all
  select d.workspace, d.id, 'a redemption holds its gift codes, and as many are void as were returned',
    format('status %s, %s cards, %s of %s returned, %s given, %s void', d.status, jsonb_array_length(d.gift_cards),
      d.reversed_quantity, d.quantity, coalesce(g.given, 0), coalesce(g.void, 0))
  from redemption d
  left join (
    select workspace, redemption, count(*) filter (where status = 'given') as given,
      count(*) filter (where status = 'void') as void
    from gift_code where redemption is not null group by 1, 2
  ) g on g.workspace = d.workspace and g.redemption = d.id
  where d.gift_cards is not null
    and (coalesce(g.given, 0), coalesce(g.given, 0) + coalesce(g.void, 0)) is distinct from
      (case when d.status = 'reversed' then 0 else d.quantity - d.reversed_quantity end, jsonb_array_length(d.gift_cards))
  union all
  select g.workspace, g.id, 'a code is available or belongs to one redemption', format('%s, redemption %s', g.status, g.redemption)
  from gift_code g
  where (g.status = 'available') <> (g.redemption is null) or g.redemption is not null and not exists (
    select from redemption d, jsonb_array_elements(d.gift_cards) card
    where d.workspace = g.workspace and d.id = g.redemption and card ->> 'id' = g.id)
  union all
  select i.workspace, i.id, 'an endpoint''s event is about what is the endpoint''s own',
    format('endpoint %s, payment %s of %s', i.endpoint, i.payment, coalesce(p.endpoint, o.endpoint, 'none'))
  from inbox i
  left join payment p on p.workspace = i.workspace and p.id = i.payment
  left join source_owner o on o.workspace = i.workspace and o.id = i.payment
  where i.endpoint <> '' and i.payment is not null and coalesce(p.endpoint, o.endpoint) is distinct from i.endpoint
  union all
  select r.workspace, r.id, 'a reward''s costs are reckoned in its program''s decimals',
    format('reckoned in %s, the program has %s', r.decimals, p.decimals)
  from reward r join program p on p.workspace = r.workspace and p.id = r.program
  where r.decimals <> p.decimals
  union all
  select o.workspace, o.workflow_id, 'an outbox row is about a row that there is',
    format('%s, started with %s', o.workflow_type, o.input)
  from workflow_outbox o
  where not case o.workflow_type
    when 'redemption' then exists (
      select from redemption d where d.workspace = o.workspace and d.id = o.input ->> 'redemption' and d.fulfillment is null)
    when 'fulfillment' then exists (
      select from redemption d where d.workspace = o.workspace and d.id = o.input ->> 'redemption' and d.fulfillment is not null)
    -- or an invoice, or the account that a welcome waits for
    when 'payment' then exists (select from payment p where p.workspace = o.workspace and p.id = o.input ->> 'payment')
      or exists (select from inbox i where i.workspace = o.workspace and i.payment = o.input ->> 'payment')
      or exists (select from earning e where e.workspace = o.workspace and e.source = o.input ->> 'payment')
    when 'accountExpiry' then exists (
      select from account a where a.workspace = o.workspace and a.id = o.input ->> 'account')
    when 'tierReview' then exists (
      select from account a where a.workspace = o.workspace and a.id = o.input ->> 'account')
    when 'bulkRun' then exists (select from bulk b where b.workspace = o.workspace and b.id = o.input ->> 'bulk')
    when 'tierReassessment' then exists (
      select from tier_reassessment r where r.workspace = o.workspace and r.program = o.input ->> 'program')
    else false end
  union all
  select o.workspace, o.workflow_id, 'an outbox row of a redemption says whether it waits',
    format('%s: %s, the row %s', o.change, o.facts ->> 'status', d.status)
  from workflow_outbox o
  join redemption d on d.workspace = o.workspace and d.id = o.input ->> 'redemption'
  where o.workflow_type in ('redemption', 'fulfillment')
    and ((o.change = 'ended') = (d.status in ('pending', 'fulfillment_pending'))
      or (o.facts ->> 'status' in ('pending', 'fulfillment_pending')) <> (d.status in ('pending', 'fulfillment_pending')))
  union all
  select o.workspace, o.workflow_id, 'an outbox row says the date of the tier''s review, or an earlier one',
    format('says %s, the review is at %s', o.facts ->> 'reviewsAt', a.tier_review_at)
  from workflow_outbox o join account a on a.workspace = o.workspace and a.id = o.input ->> 'account'
  where o.workflow_type = 'tierReview'
    and date_trunc('milliseconds', a.tier_review_at) < (o.facts ->> 'reviewsAt')::timestamptz
  union all
  select o.workspace, o.workflow_id, 'an outbox row says the status of its import or reversal',
    format('says %s, it is %s', o.facts ->> 'status', b.status)
  from workflow_outbox o join bulk b on b.workspace = o.workspace and b.id = o.input ->> 'bulk'
  where o.workflow_type = 'bulkRun' and b.status not in (o.facts ->> 'status', 'completed')
)
select workspace, subject, rule, detail from broken order by workspace, subject, rule
