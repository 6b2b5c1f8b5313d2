-- Rows from before are brought in line while the product runs, so many at a time.

-- Brings the next `p_limit` rows of a store in line, and keeps how far it got: whoever goes on
-- begins there. `events` leave their names and addresses to the redemption; `inbox` and `attention`
-- keep of a provider's payload what payload_allowed says. Waits for no other transaction longer
-- than 200 ms: then it fails, and the same rows are the next again.
-- @returns BackfillTurn
create or replace function ledger.backfill_turn(p_store text, p_limit int) returns jsonb
language plpgsql security definer as $$
declare
  progress backfill;
  page_end text[];
  page_seen int;
  page_changed int;
begin
  perform set_config('lock_timeout', '200ms', true);
  select * into strict progress from backfill where store = p_store for update;
  if progress.ended_at is null then
    case p_store
      when 'events' then
        with page as (
          select workspace, id from event where (workspace, id) > (progress.through[1],
            progress.through[2])
          order by workspace, id limit p_limit
        ), changed as (
          update event set data = event_data(data, object), previous = event_data(previous, object)
          from page
          where event.workspace = page.workspace and event.id = page.id
            and event.object like 'rdm\_%' and (has_shipping(data) or has_shipping(previous))
          returning 1
        )
        select count(*), (array_agg(array[workspace, id, ''] order by workspace desc, id desc)
          )[1:1], (select count(*) from changed) into page_seen, page_end, page_changed
        from page;
      when 'inbox' then
        with page as (
          select workspace, endpoint, id from inbox where (workspace, endpoint, id)
            > (progress.through[1], progress.through[2], progress.through[3])
          order by workspace, endpoint, id limit p_limit
        ), changed as (
          update inbox set payload = payload_allowed(provider, payload, null),
            fingerprint = fingerprint_before(provider, payload)
          from page
          where inbox.workspace = page.workspace and inbox.endpoint = page.endpoint
            and inbox.id = page.id and fingerprint is null and inbox.endpoint <> ''
            and payload <> '{}' and payload <> '{"erased": true}'
          returning 1
        )
        select count(*), (array_agg(array[workspace, endpoint, id] order by workspace desc,
          endpoint desc, id desc))[1:1], (select count(*) from changed)
          into page_seen, page_end, page_changed
        from page;
      when 'attention' then
        with page as (
          select workspace, id from attention where (workspace, id) > (progress.through[1],
            progress.through[2])
          order by workspace, id limit p_limit
        ), changed as (
          update attention set details = details || jsonb_build_object('payload',
            payload_allowed(details ->> 'provider', details -> 'payload', null))
          from page
          where attention.workspace = page.workspace and attention.id = page.id
            and kind = 'payment_event_conflict' and details ? 'payload'
          returning 1
        )
        select count(*), (array_agg(array[workspace, id, ''] order by workspace desc, id desc)
          )[1:1], (select count(*) from changed) into page_seen, page_end, page_changed
        from page;
    end case;
    update backfill set seen = seen + page_seen, changed = changed + page_changed,
      through = case when page_seen > 0 then array(select unnest(page_end)) else through end,
      ended_at = case when page_seen < p_limit then clock_timestamp() end
    where store = p_store returning * into progress;
  end if;
  return jsonb_build_object('seen', progress.seen, 'changed', progress.changed,
    'ended', progress.ended_at is not null);
end $$;

-- Whether an event's object has a name and an address in itself.
create or replace function ledger_private.has_shipping(p_data jsonb) returns boolean
language sql stable as $$
  select jsonb_typeof(p_data #> '{fulfillment,shipping}') = 'object'
    and not p_data #> '{fulfillment,shipping}' ? 'redemption'
$$;
