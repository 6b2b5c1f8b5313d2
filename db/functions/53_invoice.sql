-- A renewal is told twice, as a payment and as an invoice, and earns once. In a program with a rule of
-- `invoice.paid` that may match, a payment that names its invoice leaves it to that; if no such rule matched
-- then, it earns as a payment after all. Where only the invoice names its payment, whichever came first earns.

-- Whether what this payment would earn for the account is its invoice's to earn: it has, or it may when it comes.
-- A part of it that redemptions paid (a checkout session's) is no renewal of its own.
create or replace function payment_left_to_invoice(pay payment, a account, p_on timestamptz, p_again boolean)
returns boolean
language plpgsql stable as $$
begin
  if exists (
    select from earning e
    where e.workspace = pay.workspace and e.payment = pay.id and e.source <> pay.id and e.program = a.program
      and e.outcome <> 'none' and e.terms ->> 'trigger' = 'invoice.paid') then
    return true;
  end if;
  if pay.invoice is null then
    return false;
  end if;
  if pay.amount_charged = 0 then
    return true;
  end if;
  return not p_again and invoice_facts(pay.workspace, pay.invoice) is null and exists (
    select from earning_rule x
    where x.workspace = pay.workspace and x.program = a.program and x.trigger = 'invoice.paid' and x.active
      and earning_rule_matches(x, pay.amount_charged, pay.currency, x.conditions -> 'metadata', p_on)
      and earning_points(x.award, 1, 1, pay.amount_charged, pay.currency, 0, 'down') is not null);
end $$;

-- What an invoice that came in says; null where none has.
create or replace function invoice_facts(p_workspace text, p_invoice text) returns jsonb
language plpgsql stable as $$
begin
  return (
    select i.facts from inbox i
    where i.workspace = p_workspace and i.payment = p_invoice and i.facts ->> 'trigger' = 'invoice.paid'
    order by i.received_at, i.id limit 1);
end $$;

-- The payment that names this invoice and paid it; null where none is known.
create or replace function payment_of_invoice(p_workspace text, p_invoice text) returns text
language plpgsql stable as $$
begin
  return (
    select x.id from payment x
    where x.workspace = p_workspace and x.invoice = p_invoice and x.amount_charged > 0
    order by x.created_at, x.id limit 1);
end $$;

-- What the invoice of a payment has earned before it is the payment's from now on, for its refunds to take back.
-- The payment's row is locked.
drop function if exists payment_with_invoice(payment);
create or replace function earnings_of_invoice(pay payment) returns void
language plpgsql as $$
begin
  if pay.amount_charged > 0 and invoice_facts(pay.workspace, pay.invoice) is not null then
    update earning set payment = pay.id
    where workspace = pay.workspace and source = pay.invoice and payment is null;
  end if;
end $$;
