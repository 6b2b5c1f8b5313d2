-- The report that holds payments and refunds against what they earned and took back.

-- One program's points of a window beside the payments and refunds that caused them: totals, and
-- every payment, refund or transaction that does not match, with the reason. Completed payments and
-- refunds count by when they happened, transactions by when they were written: from `p_from` up to,
-- not including, `p_to`. Points in the smallest unit. At most `p_limit` lines, oldest first;
-- changes nothing.
create or replace function ledger.payment_reconciliation(
  p_workspace text, p_program text, p_from timestamptz, p_to timestamptz, p_limit int
) returns jsonb
language plpgsql stable as $$
declare
  totals jsonb;
  lines jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select jsonb_build_object('earned', coalesce(sum(t.amount) filter (where t.type = 'earn'), 0),
      'clawed_back', coalesce(-sum(t.amount) filter (where t.type = 'clawback'), 0),
      'transactions', count(*),
      'payments', (select count(*) from payment x where x.workspace = p_workspace
        and x.status = 'completed'
        and x.completed_at >= p_from and x.completed_at < p_to),
      'refunds', (select count(*) from refund x where x.workspace = p_workspace
        and x.status <> 'failed'
        and x.created_at >= p_from and x.created_at < p_to))
  into totals
  from ptx t
  where t.workspace = p_workspace and t.program = p_program and t.type in ('earn', 'clawback')
    and t.created_at >= p_from and t.created_at < p_to;

  select coalesce(jsonb_agg(jsonb_strip_nulls(to_jsonb(l) - 'at') order by l.at, l.payment,
    l.reason), '[]') into lines
  from (
    select * from payment_mismatches(p_workspace, p_program, p_from, p_to)
    order by at, payment, reason limit p_limit + 1
  ) l;
  return totals || jsonb_build_object('mismatches', lines);
end $$;

-- The lines of it. Reasons: payment_not_processed, payment_without_member (it names none),
-- member_unknown (none at its completion), no_rule (none matches, or none knows the currency),
-- account_closed, cap_reached, nothing_left, pending, came_late (earned long after its payment),
-- refund_of_unknown_payment, refund_exceeds_payment, refund_not_processed, clawback_forgiven,
-- points_expired_before, transaction_of_unknown_payment, points_differ.
create or replace function ledger_private.payment_mismatches(
  p_workspace text, p_program text, p_from timestamptz, p_to timestamptz
) returns table (
  at timestamptz, payment text, refund text, account text, rule text, transaction text, reason text,
  points bigint, amount bigint
)
language sql stable as $$
  select x.completed_at, x.id, null, null, null, null,
    case coalesce(x.award, '') when '' then 'payment_not_processed' when 'unnamed'
      then 'payment_without_member'
      when 'no_member' then 'member_unknown' else x.award end,
    null::bigint, x.amount_charged
  from payment x
  where x.workspace = p_workspace and x.status = 'completed' and x.completed_at >= p_from
    and x.completed_at < p_to
    and x.award is distinct from 'awarded'
    and not exists (select from earning e where e.workspace = x.workspace and e.payment = x.id)
  union all
  select e.earned_on, e.payment, null, e.account, e.rule, e.transaction,
    case when e.outcome = 'pending' then 'pending' else e.reason end, e.points - e.clawed, null
  from earning e
  where e.workspace = p_workspace and e.program = p_program and e.payment is not null
    and e.earned_on >= p_from and e.earned_on < p_to
    and (e.outcome = 'pending' or e.outcome = 'none' and e.reason <> 'refunded')
  union all
  -- by when it came: the window of its payment may be closed. Most providers' first repeats come
  -- within an hour.
  select e.created_at, e.payment, null, e.account, e.rule, e.transaction, 'came_late',
    e.points - e.clawed, null
  from earning e left join payment x on x.workspace = e.workspace and x.id = e.payment
  where e.workspace = p_workspace and e.program = p_program and e.outcome <> 'none'
    and e.created_at >= p_from and e.created_at < p_to
    and e.created_at > coalesce(x.completed_at, e.earned_on) + interval '1 hour'
  union all
  select r.created_at, r.payment, r.id, null, null, null,
    case when x.id is null then 'refund_of_unknown_payment' else 'refund_exceeds_payment' end, null,
      r.amount
  from refund r left join payment x on x.workspace = r.workspace and x.id = r.payment
  where r.workspace = p_workspace and r.created_at >= p_from and r.created_at < p_to
    and r.status <> 'failed'
    and (x.id is null or (r.kind = 'refund' and x.amount_refunded > x.amount_charged))
  union all
  select r.created_at, r.payment, r.id, e.account, e.rule, c.transaction,
    case when c.refund is null then 'refund_not_processed' when c.forgiven > 0
      then 'clawback_forgiven'
      else 'points_expired_before' end,
    coalesce(nullif(c.forgiven, 0), c.expired), r.amount
  from refund r
  join earning e on e.workspace = r.workspace and e.payment = r.payment and e.program = p_program
  left join clawback c on c.workspace = e.workspace and c.earning = e.id and c.refund = r.id
  where r.workspace = p_workspace and r.created_at >= p_from and r.created_at < p_to
    and case when c.refund is null then r.status <> 'failed' else c.forgiven > 0
      or c.expired > 0 end
  union all
  select t.created_at, t.payment, t.refund, t.account, null, t.id, 'transaction_of_unknown_payment',
    t.amount, null
  from ptx t
  where t.workspace = p_workspace and t.program = p_program and t.type in ('earn', 'clawback')
    and t.created_at >= p_from and t.created_at < p_to and t.payment is not null
    and not exists (select from payment x where x.workspace = t.workspace and x.id = t.payment)
  union all
  select min(t.created_at), e.payment, null, e.account, e.rule, e.transaction, 'points_differ',
    sum(t.amount)::bigint - min(e.points - e.clawed + c.kept), null
  from earning e
  join ptx t on t.workspace = e.workspace and t.type in ('earn', 'clawback')
    and (t.payment = e.payment and t.source ->> 'rule' = e.rule or t.id = e.transaction)
  cross join lateral (
    select coalesce(sum(x.forgiven + x.expired), 0)::bigint as kept from clawback x
    where x.workspace = e.workspace and x.earning = e.id
  ) c
  where e.workspace = p_workspace and e.program = p_program and e.outcome = 'earned'
    and e.earned_on >= p_from and e.earned_on < p_to
    and (select count(*) from earning o where o.workspace = e.workspace and o.payment = e.payment
      and o.rule = e.rule) = 1
  group by e.workspace, e.id, e.payment, e.account, e.rule, e.transaction
  having sum(t.amount) <> min(e.points - e.clawed + c.kept)
$$;
