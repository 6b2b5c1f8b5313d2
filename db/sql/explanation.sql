-- Why points were earned or not, and what would be: the ledger's own decisions, asked again.
-- Nothing here writes. Points in the program's smallest unit.

-- What something would earn, asked of the account, or of the members that a payment by the customer
-- would find and enrol; by the rules, tiers and caps of `p_at` where it is given, else of now.
-- What refunds have taken back since then does not count towards a cap. Null where there is no such
-- account.
-- @returns EarningPreview | null
-- @param p_metadata Record<string, string>
-- @null p_account p_customer p_at
create or replace function ledger.earning_preview(
  p_workspace text, p_account text, p_customer text, p_amount bigint, p_currency text,
  p_metadata jsonb, p_at timestamptz
) returns jsonb
language plpgsql stable as $$
declare
  at timestamptz := coalesce(p_at, date_trunc('milliseconds', clock_timestamp()));
  account_row account;
  entries jsonb := '[]';
  known_from timestamptz;
  unknown_to timestamptz;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  if p_account is not null and account_survivor(p_workspace, p_account) is null then
    return null;
  end if;
  for account_row in
    select * from account where workspace = p_workspace
      and id = account_survivor(p_workspace, p_account)
    union all
    select * from earning_members(p_workspace, p_customer, p_metadata, at)
    where p_account is null
    union all
    select (account_to_be(program_row)).* from programs_enrolling(p_workspace, p_customer,
      p_metadata) program_row
    where p_account is null and p_customer is not null
  loop
    known_from := rules_known_from(p_workspace, account_row.program, at);
    unknown_to := greatest(unknown_to, known_from);
    continue when known_from is not null;
    entries := entries || earnings_expected(account_row, p_amount, p_currency, p_metadata, at,
      p_at);
  end loop;
  return jsonb_build_object('at', iso(at), 'rules_from', iso(unknown_to), 'entries', entries);
end $$;

-- What a payment earned and why not more: each earning with what its refunds took back, by the rule
-- as it was; then each rule of the time at which it was judged that made none of it, with the first
-- reason why not. Null where there is no such payment.
-- @returns PaymentEarnings | null
create or replace function ledger.payment_earnings(
  p_workspace text, p_payment text
) returns jsonb
language plpgsql stable as $$
declare
  payment_row payment;
  program_row program;
  entries jsonb;
  judged_at timestamptz;
  known_from timestamptz;
  unknown_to timestamptz;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into payment_row from payment where workspace = p_workspace and id = p_payment;
  if not found then
    return null;
  end if;
  select coalesce(jsonb_agg(earning_explained(earning_row, null, program.decimals,
      (earning_row.ptx_source ->> 'amount')::bigint, earning_row.ptx_source ->> 'currency')
    || earning_refunds(earning_row)
    order by earning_row.program, earning_row.account, earning_row.created_at, earning_row.id),
    '[]')
  into entries
  from earning earning_row
  join program on program.workspace = p_workspace and program.id = earning_row.program
  where earning_row.workspace = p_workspace and earning_row.payment = p_payment;
  if payment_row.award is not null then
    judged_at := coalesce(payment_row.judged_at, (
      select min(created_at) from earning where workspace = p_workspace and source = p_payment),
      payment_row.completed_at);
    for program_row in select * from program where workspace = p_workspace order by id loop
      known_from := rules_known_from(p_workspace, program_row.id, judged_at);
      unknown_to := greatest(unknown_to, known_from);
      continue when known_from is not null;
      entries := entries || earnings_not_made(payment_row, program_row, judged_at);
    end loop;
  end if;
  return jsonb_build_object('award', payment_row.award, 'judged_at', iso(judged_at),
    'rules_from', iso(unknown_to), 'entries', entries);
end $$;

-- The program as it was at `p_at`; as it is where it has no version of then.
create or replace function ledger_private.program_at(
  p_workspace text, p_program text, p_at timestamptz
) returns program
language plpgsql stable as $$
declare
  program_row program;
begin
  select (jsonb_populate_record(null::program, data)).* into program_row
  from program_version
  where workspace = p_workspace and program = p_program and valid_from <= p_at
  order by valid_from desc limit 1;
  if not found then
    select * into program_row from program where workspace = p_workspace and id = p_program;
  end if;
  return program_row;
end $$;

-- The rules of a program and trigger as they were at `p_at`, switched off ones too, in the order in
-- which they earn. Those of which no version of then is kept are left out.
create or replace function ledger_private.earning_rules_at(
  p_workspace text, p_program text, p_trigger text, p_at timestamptz
) returns setof earning_rule
language plpgsql stable as $$
begin
  return query
    select (jsonb_populate_record(null::earning_rule, version.data)).*
    from earning_rule
    cross join lateral (
      select data from rule_version
      where rule_version.workspace = p_workspace and rule_version.rule = earning_rule.id
        and rule_version.valid_from <= p_at
      order by rule_version.valid_from desc limit 1
    ) version
    where earning_rule.workspace = p_workspace and earning_rule.program = p_program
      and earning_rule.trigger = p_trigger
    order by earning_rule.created_at, earning_rule.id;
end $$;

-- From when on the program's rules are known, where `p_at` is before that although the program was
-- there: versions are kept since then. Null: all that was in force at `p_at` is known.
create or replace function ledger_private.rules_known_from(
  p_workspace text, p_program text, p_at timestamptz
) returns timestamptz
language sql stable as $$
  select version.valid_from from program
  cross join lateral (
    select valid_from from program_version
    where program_version.workspace = p_workspace and program_version.program = p_program
    order by valid_from limit 1
  ) version
  where program.workspace = p_workspace and program.id = p_program
    and program.created_at < version.valid_from and p_at < version.valid_from
$$;

-- The tier that the account had at `p_at`.
create or replace function ledger_private.account_tier_at(
  account_row account, p_at timestamptz
) returns text
language plpgsql stable as $$
declare
  change tier_change;
begin
  select * into change from tier_change
  where workspace = account_row.workspace and account = account_row.id and created_at <= p_at
  order by id desc limit 1;
  if found then
    return change.to_tier;
  end if;
  select * into change from tier_change
  where workspace = account_row.workspace and account = account_row.id
  order by id limit 1;
  return case when found then change.from_tier else account_row.tier end;
end $$;

-- The account that a program would make of a customer whom it enrols: without an id.
create or replace function ledger_private.account_to_be(program_row program) returns account
language plpgsql stable as $$
declare
  account_row account;
begin
  account_row.workspace := program_row.workspace;
  account_row.program := program_row.id;
  account_row.status := 'active';
  account_row.tier := case when tier_qualify_on(program_row) <> 'custom'
    then tier_reached(program_row, 0) ->> 'name' end;
  return account_row;
end $$;

-- What the account would earn of a payment that completes at `p_at`, rule by rule; with the caps as
-- they stood then where `p_past` says so.
create or replace function ledger_private.earnings_expected(
  account_row account, p_amount bigint, p_currency text, p_metadata jsonb, p_at timestamptz,
  p_past timestamptz
) returns jsonb
language plpgsql stable as $$
declare
  program_row program := program_at(account_row.workspace, account_row.program, p_at);
  rule_row earning_rule;
  earning_row earning;
  entries jsonb := '[]';
begin
  if p_past is not null then
    account_row.tier := account_tier_at(account_row, p_past);
  end if;
  for rule_row in
    select * from earning_rules_at(account_row.workspace, account_row.program,
      'payment.completed', p_at)
  loop
    earning_row := earning_decision(program_row, rule_row, account_row,
      tier_multiplier(program_row, account_row.tier), p_amount, p_currency, p_metadata, p_at,
      earning_counted_on(account_row, p_at, p_at), p_at, p_past);
    entries := entries || earning_explained(earning_row, rule_row, program_row.decimals, p_amount,
      p_currency);
  end loop;
  return entries;
end $$;

-- The rules of a program that made nothing of a payment when it was judged, each with the first
-- reason why not.
create or replace function ledger_private.earnings_not_made(
  payment_row payment, program_row program, p_judged_at timestamptz
) returns jsonb
language plpgsql stable as $$
declare
  on_time timestamptz := coalesce(payment_row.completed_at, p_judged_at);
  facts jsonb := invoice_facts(payment_row.workspace, payment_row.invoice);
  metadata jsonb := coalesce(facts -> 'metadata', '{}') || payment_row.metadata;
  account_row account;
  rule_row earning_rule;
  earning_row earning;
  entries jsonb := '[]';
begin
  select * into account_row
  from earning_members(payment_row.workspace,
    coalesce(payment_row.customer, facts ->> 'customer'), metadata, on_time) member
  where member.program = program_row.id;
  program_row := program_at(program_row.workspace, program_row.id, p_judged_at);
  for rule_row in
    select rule.* from earning_rules_at(program_row.workspace, program_row.id,
      'payment.completed', p_judged_at) rule
    where not exists (select from earning where workspace = payment_row.workspace
      and source = payment_row.id and earning.rule = rule.id)
  loop
    earning_row := earning_decision(program_row, rule_row, account_row, 1,
      payment_row.amount_charged, payment_row.currency, metadata, on_time, on_time, p_judged_at,
      p_judged_at);
    earning_row.reason := case when account_row.id is null then 'no_member'
      when earning_row.terms is null then earning_row.reason
      when payment_left_to_invoice(payment_row, account_row, on_time, false)
        then 'left_to_invoice'
      else 'no_member' end;
    earning_row.terms := null;
    entries := entries || earning_explained(earning_row, rule_row, program_row.decimals,
      payment_row.amount_charged, payment_row.currency);
  end loop;
  return entries;
end $$;

-- One decision as an explanation shows it; of a rule that did not speak of it, the rule as it was.
create or replace function ledger_private.earning_explained(
  earning_row earning, rule_row earning_rule, p_decimals int, p_amount bigint, p_currency text
) returns jsonb
language sql stable as $$
  select jsonb_build_object('program', earning_row.program, 'account', earning_row.account, 'rule',
    earning_row.rule, 'source', earning_row.source, 'matched', earning_row.terms is not null,
    'reason', earning_row.reason, 'outcome', earning_row.outcome, 'amount', p_amount, 'currency',
    lower(p_currency), 'terms', coalesce(earning_row.terms, earning_terms(rule_row, null)),
    'tier', earning_row.tier, 'rounding', earning_row.rounding, 'uncapped', earning_row.uncapped,
    'cap_left', case when earning_row.terms -> 'cap' <> 'null' then earning_row.cap_left end,
    'points', case when earning_row.outcome = 'none' then 0 else earning_row.points end,
    'clawed', earning_row.clawed, 'earned_on', iso(earning_row.earned_on), 'matures_at',
    iso(case when earning_row.outcome = 'pending' then earning_row.matures_at end), 'decimals',
    p_decimals)
$$;

-- What refunds took of an earning, each with its share as it stands, and all transactions of it,
-- oldest first.
create or replace function ledger_private.earning_refunds(earning_row earning) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'refunds', (
      select coalesce(jsonb_agg(jsonb_build_object('refund', refund.id, 'kind', refund.kind,
        'status', refund.status, 'amount', refund.amount, 'taken', clawback.taken, 'shrunk',
        clawback.shrunk, 'expired', clawback.expired, 'forgiven', clawback.forgiven)
        order by clawback.created_at, clawback.refund), '[]')
      from clawback
      join refund on refund.workspace = clawback.workspace and refund.id = clawback.refund
      where clawback.workspace = earning_row.workspace and clawback.earning = earning_row.id),
    'transactions', (
      select coalesce(jsonb_agg(ptx.id order by ptx.id), '[]') from ptx
      where ptx.workspace = earning_row.workspace and (ptx.id = earning_row.transaction
        or ptx.payment = earning_row.payment and split_part(ptx.operation, ':', 2) = earning_row.id
          and split_part(ptx.operation, ':', 1) in ('claw', 'unclaw'))))
$$;
