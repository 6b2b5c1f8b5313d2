-- The report that holds payments and refunds against what they earned and took back.

-- One program's points of a window beside the payments and refunds that caused them: totals, and
-- every payment, refund or transaction that does not match, with the reason. Completed payments and
-- refunds count by when they happened, transactions by when they were written: from `p_from` up to,
-- not including, `p_to`. Points in the smallest unit. At most `p_limit` lines, oldest first;
-- changes nothing.
-- @returns PaymentReconciliation
create or replace function ledger.payment_reconciliation(
  p_workspace text, p_program text, p_from timestamptz, p_to timestamptz, p_limit int
) returns jsonb
language plpgsql stable as $$
declare
  totals jsonb;
  lines jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select jsonb_build_object('earned', coalesce(sum(amount) filter (where type = 'earn'), 0),
      'clawed_back', coalesce(-sum(amount) filter (where type = 'clawback'), 0),
      'transactions', count(*),
      'payments', (select count(*) from payment where workspace = p_workspace
        and status = 'completed'
        and completed_at >= p_from and completed_at < p_to),
      'refunds', (select count(*) from refund where workspace = p_workspace
        and status <> 'failed'
        and created_at >= p_from and created_at < p_to))
  into totals
  from ptx
  where workspace = p_workspace and program = p_program and type in ('earn', 'clawback')
    and created_at >= p_from and created_at < p_to;

  select coalesce(jsonb_agg(jsonb_strip_nulls(to_jsonb(line) - 'at') order by line.at, line.payment,
    line.reason), '[]') into lines
  from (
    select * from payment_mismatches(p_workspace, p_program, p_from, p_to)
    order by at, payment, reason limit p_limit + 1
  ) line;
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
  select payment.completed_at, payment.id, null, null, null, null,
    case coalesce(payment.award, '') when '' then 'payment_not_processed' when 'unnamed'
      then 'payment_without_member'
      when 'no_member' then 'member_unknown' else payment.award end,
    null::bigint, payment.amount_charged
  from payment
  where payment.workspace = p_workspace and payment.status = 'completed'
    and payment.completed_at >= p_from and payment.completed_at < p_to
    and payment.award is distinct from 'awarded'
    and not exists (select from earning where workspace = payment.workspace
      and payment = payment.id)
  union all
  select earned_on, payment, null, account, rule, transaction,
    case when outcome = 'pending' then 'pending' else reason end, points - clawed, null
  from earning
  where workspace = p_workspace and program = p_program and payment is not null
    and earned_on >= p_from and earned_on < p_to
    and (outcome = 'pending' or outcome = 'none' and reason <> 'refunded')
  union all
  -- by when it came: the window of its payment may be closed. Most providers' first repeats come
  -- within an hour.
  select earning.created_at, earning.payment, null, earning.account, earning.rule,
    earning.transaction, 'came_late', earning.points - earning.clawed, null
  from earning left join payment on payment.workspace = earning.workspace
    and payment.id = earning.payment
  where earning.workspace = p_workspace and earning.program = p_program
    and earning.outcome <> 'none' and earning.created_at >= p_from and earning.created_at < p_to
    and earning.created_at > coalesce(payment.completed_at, earning.earned_on) + interval '1 hour'
  union all
  select refund.created_at, refund.payment, refund.id, null, null, null,
    case when payment.id is null then 'refund_of_unknown_payment' else 'refund_exceeds_payment' end,
      null, refund.amount
  from refund left join payment on payment.workspace = refund.workspace
    and payment.id = refund.payment
  where refund.workspace = p_workspace and refund.created_at >= p_from and refund.created_at < p_to
    and refund.status <> 'failed'
    and (payment.id is null or (refund.kind = 'refund'
      and payment.amount_refunded > payment.amount_charged))
  union all
  select refund.created_at, refund.payment, refund.id, earning.account, earning.rule,
    clawback.transaction,
    case when clawback.refund is null then 'refund_not_processed' when clawback.forgiven > 0
      then 'clawback_forgiven'
      else 'points_expired_before' end,
    coalesce(nullif(clawback.forgiven, 0), clawback.expired), refund.amount
  from refund
  join earning on earning.workspace = refund.workspace and earning.payment = refund.payment
    and earning.program = p_program
  left join clawback on clawback.workspace = earning.workspace and clawback.earning = earning.id
    and clawback.refund = refund.id
  where refund.workspace = p_workspace and refund.created_at >= p_from and refund.created_at < p_to
    and case when clawback.refund is null then refund.status <> 'failed' else clawback.forgiven > 0
      or clawback.expired > 0 end
  union all
  select ptx.created_at, ptx.payment, ptx.refund, ptx.account, null, ptx.id,
    'transaction_of_unknown_payment', ptx.amount, null
  from ptx
  where ptx.workspace = p_workspace and ptx.program = p_program and ptx.type in ('earn', 'clawback')
    and ptx.created_at >= p_from and ptx.created_at < p_to and ptx.payment is not null
    and not exists (select from payment where workspace = ptx.workspace and id = ptx.payment)
  union all
  select min(ptx.created_at), earning.payment, null, earning.account, earning.rule,
    earning.transaction, 'points_differ', sum(ptx.amount)::bigint
      - min(earning.points - earning.clawed + kept_back.kept), null
  from earning
  join ptx on ptx.workspace = earning.workspace and ptx.type in ('earn', 'clawback')
    and (ptx.payment = earning.payment and ptx.source ->> 'rule' = earning.rule
      or ptx.id = earning.transaction)
  cross join lateral (
    select coalesce(sum(forgiven + expired), 0)::bigint as kept from clawback
    where workspace = earning.workspace and earning = earning.id
  ) kept_back
  where earning.workspace = p_workspace and earning.program = p_program
    and earning.outcome = 'earned' and earning.earned_on >= p_from and earning.earned_on < p_to
    and (select count(*) from earning other where other.workspace = earning.workspace
      and other.payment = earning.payment and other.rule = earning.rule) = 1
  group by earning.workspace, earning.id, earning.payment, earning.account, earning.rule,
    earning.transaction
  having sum(ptx.amount) <> min(earning.points - earning.clawed + kept_back.kept)
$$;
