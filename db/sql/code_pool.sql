-- The codes of gift cards, uploaded or made.

-- Adds sealed codes to a pool (`p_codes`: [{line, hash, sealed, last4}]). A code that any pool of
-- the workspace has, or that came earlier in the same upload, is not added and reported by its
-- line. A repeat with the same key returns the first upload's report. Outcomes: uploaded; replayed.
-- Raises the refusal of a key that came with another body (VR001).
-- @returns CodesUploadResult
-- @param p_codes UploadedCode[]
-- @null p_key
create or replace function ledger.codes_upload(
  p_workspace text, p_pool text, p_batch text, p_codes jsonb, p_route text, p_key text,
  p_fingerprint text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  batch_row code_batch;
  earlier text;
  added int[];
begin
  earlier := command_start(p_workspace, p_route, p_key, p_fingerprint, p_batch, p_at);
  if earlier is not null then
    select * into batch_row from code_batch where workspace = p_workspace and id = earlier;
    return jsonb_build_object('outcome', 'replayed', 'batch', to_jsonb(batch_row));
  end if;
  with written as (
    insert into gift_code (workspace, id, pool, batch, line, hash, sealed, last4)
    select p_workspace, vinr_id_after('gcc', p_at, given.line), p_pool, p_batch, given.line,
      given.hash, given.sealed, given.last4
    from jsonb_to_recordset(p_codes) as given (line int, hash text, sealed text, last4 text)
    -- in one order, so that two uploads of the same codes never wait in a circle
    order by given.hash collate "C", given.line
    on conflict (workspace, hash) do nothing
    returning line
  )
  select coalesce(array_agg(written.line), '{}') into added from written;
  insert into code_batch (workspace, id, pool, added, duplicates, created_at)
  select p_workspace, p_batch, p_pool, cardinality(added), coalesce(jsonb_agg(
    jsonb_build_object('line', given.line)
    order by given.line) filter (where given.line <> all (added)), '[]'), p_at
  from jsonb_to_recordset(p_codes) as given (line int)
  returning * into batch_row;
  update code_pool set low_since = null
  where code_pool.workspace = p_workspace and code_pool.id = p_pool
    and code_pool.low_since is not null
    and codes_left(p_workspace, p_pool, code_pool.low_at + 1);
  if found then
    perform attention_settle(p_workspace, 'code_pool_low', p_pool, p_at);
  end if;
  return jsonb_build_object('outcome', 'uploaded', 'batch', to_jsonb(batch_row));
end $$;

-- Whether a pool has so many codes that nobody was given yet.
create or replace function ledger_private.codes_left(
  p_workspace text, p_pool text, p_quantity int
) returns boolean
language plpgsql stable as $$
begin
  return (
    select count(*) >= p_quantity from (
      select from gift_code
      where workspace = p_workspace and pool = p_pool and status = 'available' limit p_quantity
    ) free);
end $$;

-- Gives a redemption its codes out of a pool, inside the redemption's own transaction: each code
-- once, however many ask. Codes that others are about to be given are passed over; only where
-- nothing else is left does it wait for one of them, so that it never says out of stock while a
-- code may yet come free. Null where the pool has not enough: then nothing was written.
create or replace function ledger_private.codes_from_pool(
  p_workspace text, p_pool text, p_redemption text, p_quantity int, p_at timestamptz
)
returns text[]
language plpgsql as $$
declare
  taken text[];
begin
  loop
    select coalesce(array_agg(free.id::text), '{}') into taken from (
      select id from gift_code
      where workspace = p_workspace and pool = p_pool and status = 'available'
      order by id limit p_quantity for update skip locked
    ) free;
    exit when cardinality(taken) = p_quantity;
    if not codes_left(p_workspace, p_pool, p_quantity) then
      return null;
    end if;
    perform 1 from gift_code
    where workspace = p_workspace and pool = p_pool and status = 'available' and id <> all (taken)
    order by id limit 1 for update;
  end loop;
  update gift_code set status = 'given', redemption = p_redemption, given_at = p_at
  where workspace = p_workspace and id = any (taken);
  perform code_pool_note_low(p_workspace, p_pool, p_at);
  return taken;
end $$;

-- Says once that a pool runs low, until it is filled again.
create or replace function ledger_private.code_pool_note_low(
  p_workspace text, p_pool text, p_at timestamptz
) returns void
language plpgsql as $$
declare
  pool_row code_pool;
  available bigint;
begin
  select * into pool_row from code_pool where workspace = p_workspace and id = p_pool;
  if pool_row.low_since is not null then
    return;
  end if;
  select count(*) into available from (
    select from gift_code
    where workspace = p_workspace and pool = p_pool
      and status = 'available' limit pool_row.low_at + 1
  ) free;
  if available > pool_row.low_at then
    return;
  end if;
  update code_pool set low_since = p_at
  where workspace = p_workspace and id = p_pool and low_since is null;
  if found then
    perform attention_raise(p_workspace, 'code_pool_low', p_pool, jsonb_build_object('available',
      available, 'low_at', pool_row.low_at), p_at);
    perform event_write(p_workspace, 'loyalty.code_pool.low', p_pool, jsonb_build_object(
      'id', p_pool, 'object', 'code_pool', 'name', pool_row.name, 'available', available, 'low_at',
      pool_row.low_at), null, p_at);
  end if;
end $$;

-- Writes the codes that were made for a redemption (sealed; `p_codes`: [{hash, sealed, last4}]).
-- Null where they are too few or one exists already: then nothing was written, and others are to be
-- made.
create or replace function ledger_private.codes_generated(
  p_workspace text, p_redemption text, p_quantity int, p_codes jsonb, p_at timestamptz
)
returns text[]
language plpgsql as $$
declare
  taken text[];
begin
  if coalesce(jsonb_array_length(p_codes), 0) <> p_quantity or exists (
    select from gift_code
    join jsonb_array_elements(p_codes) given on gift_code.hash = given ->> 'hash'
    where gift_code.workspace = p_workspace) then
    return null;
  end if;
  with made as (
    insert into gift_code (workspace, id, hash, sealed, last4, status, redemption, given_at)
    select p_workspace, vinr_id('gcc'), given ->> 'hash', given ->> 'sealed', given ->> 'last4',
      'given', p_redemption, p_at
    from jsonb_array_elements(p_codes) given
    returning id
  )
  select array_agg(id::text) into taken from made;
  return taken;
end $$;

-- The codes of a gift card redemption, each with what it is worth. Null where there are none to
-- give.
create or replace function ledger_private.gift_cards_take(
  redemption_row redemption, reward_row reward, p_codes jsonb, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  taken text[] := case when reward_row.codes ? 'pool'
    then codes_from_pool(redemption_row.workspace, reward_row.codes ->> 'pool', redemption_row.id,
    redemption_row.quantity, p_at)
    else codes_generated(redemption_row.workspace, redemption_row.id, redemption_row.quantity,
    p_codes, p_at) end;
begin
  return (
    select jsonb_agg(jsonb_build_object('id', gift_code.id, 'sealed', gift_code.sealed, 'last4',
      gift_code.last4) || reward_row.value
      order by gift_code.id)
    from gift_code where gift_code.workspace = redemption_row.workspace
      and gift_code.id = any (taken));
end $$;

-- Voids the codes of `p_quantity` of a redemption, the last ones first, for good: they were shown,
-- and never go back to their pool. `reversed_quantity` does not count them yet.
create or replace function ledger_private.gift_cards_void(
  redemption_row redemption, p_quantity int, p_at timestamptz
) returns void
language plpgsql as $$
begin
  update gift_code set status = 'void', voided_at = p_at
  where workspace = redemption_row.workspace and status = 'given' and id in (
    select card ->> 'id'
      from jsonb_array_elements(redemption_row.gift_cards) with ordinality as given (card, position)
    where position > redemption_row.quantity - redemption_row.reversed_quantity - p_quantity);
end $$;
