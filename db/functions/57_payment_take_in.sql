-- What a webhook's request does, in one round trip and one commit: takes the event in, and works off what
-- follows from it. Where that fails, only that is undone: the inbox row and the payment's status stay, the
-- answer says why in `failure` instead of `processed`, and the payment's workflow tries again. Not tried here where the payment has
-- redemptions: they must hear of its end before the inbox row counts as processed, and one that the event
-- attaches is locked, while accounts come before redemptions. `at` is when it came: `p_at`, or now to the
-- millisecond, as every other time that the product hands down.
drop function if exists payment_take_in(text, text, text, text, jsonb, jsonb, text, timestamptz, jsonb);
create or replace function payment_take_in(
  p_workspace text, p_provider text, p_endpoint text, p_event text, p_type text, p_payload jsonb, p_payment jsonb,
  p_status text, p_at timestamptz, p_more jsonb, p_content jsonb
) returns jsonb
language plpgsql as $$
declare
  at timestamptz := coalesce(p_at, date_trunc('milliseconds', clock_timestamp()));
  taken jsonb := payment_receive(p_workspace, p_provider, p_endpoint, p_event, p_type, p_payload, p_payment, p_status,
    at, p_more, p_content) || jsonb_build_object('at', at);
  context text;
begin
  if (taken ->> 'waiting')::boolean and taken -> 'redemptions' = '[]' and coalesce(p_payment -> 'refs', '[]') = '[]' then
    begin
      return taken || jsonb_build_object('processed',
        payment_process(p_workspace, coalesce(taken #>> '{payment,id}', taken ->> 'subject'), at));
    exception when query_canceled or others then -- others leaves a statement's timeout out
      get stacked diagnostics context = pg_exception_context;
      return taken || jsonb_build_object('failure',
        jsonb_build_object('message', sqlerrm, 'code', sqlstate, 'context', context));
    end;
  end if;
  return taken;
end $$;
