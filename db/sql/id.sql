-- Ids: a prefix and 22 base62 characters, in the order of their making.

-- An id: a prefix and 22 base62 characters, the first 13 the microsecond in hex, so that
-- ids of one kind sort by creation (byte order). Two base64 signs are folded into base62.
create or replace function ledger_private.vinr_id(p_prefix text) returns text
language sql volatile parallel safe as $$
  select p_prefix || '_'
    || lpad(to_hex((extract(epoch from clock_timestamp()) * 1000000)::bigint), 13, '0')
    || left(translate(encode(uuid_send(gen_random_uuid()), 'base64'), '+/=', 'Aa'), 9)
$$;

-- The smallest id that something created at this instant can have; for paging by time over dated
-- ids.
create or replace function ledger_private.vinr_id_from(p_prefix text, p_at timestamptz) returns text
language sql immutable parallel safe as $$
  select p_prefix || '_' || lpad(to_hex((extract(epoch from p_at) * 1000000)::bigint), 13, '0')
$$;

-- An id as of so many microseconds after an instant: for many at once, in the order of their
-- numbers.
create or replace function ledger_private.vinr_id_after(
  p_prefix text, p_at timestamptz, p_us bigint
) returns text
language sql volatile parallel safe as $$
  select vinr_id_from(p_prefix, p_at + p_us * interval '1 microsecond')
    || left(translate(encode(uuid_send(gen_random_uuid()), 'base64'), '+/=', 'Aa'), 9)
$$;

-- An id that is always the same for what an endpoint names; `p_try`: which of those it may become.
create or replace function ledger_private.derived_id(
  p_prefix text, p_endpoint text, p_named text, p_try int
) returns text
language sql immutable parallel safe as $$
  select p_prefix || '_' || left(translate(encode(sha256(convert_to(
    jsonb_build_array(p_endpoint, p_named, p_try)::text, 'UTF8')), 'base64'), E'+/=\n', 'Aa'), 22)
$$;
