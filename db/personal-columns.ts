/**
 * What a column of text or jsonb may say of a member, and what becomes of it:
 * - `removed`: an erasure takes it out of the row, or destroys the key that it is sealed with.
 * - `aged`: it goes by its age, whoever it names; a setting or a fixed time says when.
 * - `hashed`: only a keyed hash of it is here, which goes with the row that it recognises.
 * - `staff`: of the shop's own people; no erasure of a member reaches it.
 * - `free`: a shop writes it about itself, or names things by it. It may name anybody; the shop keeps it clean.
 * - `none`: ids, words of a list, amounts, settings.
 */
export const COLUMN_KINDS = ['removed', 'aged', 'hashed', 'staff', 'free', 'none'] as const
type ColumnKind = (typeof COLUMN_KINDS)[number]

/** Columns by kind; names separated by spaces. */
type TableColumns = Readonly<Partial<Record<ColumnKind, string>>>

/** Every column of text or jsonb of every table; a test compares it with the database. */
export const PERSONAL_COLUMNS: Readonly<Record<string, TableColumns>> = {
  account: {
    removed: 'customer former_customers metadata',
    none: 'workspace id program status tier merged_into deficit_to',
  },
  allocation: { none: 'workspace debit lot cause' },
  api_key: {
    staff: 'created_by',
    free: 'name',
    none: 'workspace id hash kind last4 prefix scopes previous_hash',
  },
  approval: {
    removed: 'reason command note',
    staff: 'requested_by settled_by',
    free: 'batch',
    none: 'workspace id kind status account effect fingerprint result',
  },
  applied_function_file: { none: 'file hash' },
  attempt: { aged: 'key' }, // addresses and e-mails, as hashes
  attention: { removed: 'details decision', none: 'workspace id kind object key' },
  backfill: { none: 'store through' },
  bulk: {
    staff: 'actor',
    free: 'batch',
    none: 'workspace id kind status refusals cursor fingerprint',
  },
  bulk_chunk: { aged: 'rows', none: 'workspace bulk' }, // empty once they are in the ledger
  bulk_upload: { none: 'workspace id' },
  clawback: { none: 'workspace earning refund transaction' },
  code_batch: { none: 'workspace id pool duplicates' },
  code_pool: { free: 'name metadata', none: 'workspace id' },
  credential: { staff: 'password_hash', none: 'user_id' },
  credit: { none: 'workspace id account program redemption currency' },
  credit_transaction: {
    staff: 'actor',
    none: `workspace id account program currency type credit redemption payment refund reverses
      operation`,
  },
  credit_wallet: { none: 'workspace account currency' },
  earning: {
    free: 'terms', // the rule as it was
    none: `workspace id source payment rule account program outcome reason ptx_source transaction tier
      rounding`,
  },
  earning_rule: {
    free: 'name conditions metadata',
    none: 'workspace id program trigger award cap',
  },
  erasure: {
    removed: 'customers',
    none: 'workspace account status waits_for stores found shared payments',
  },
  event: { removed: 'data previous', staff: 'actor', none: 'workspace id type object' },
  event_type: { free: 'name description schema', none: 'workspace id' },
  event_type_version: { free: 'schema', none: 'workspace event_type' },
  expiry_warning: { none: 'workspace account' },
  gift_code: { none: 'workspace id pool batch hash sealed last4 status redemption' },
  idempotency_key: { aged: 'key', none: 'workspace route fingerprint resource' },
  inbox: {
    removed: 'payload facts', // and payloads are aged
    none: 'workspace endpoint id provider type payment fingerprint',
  },
  known_device: { staff: 'hash', none: 'user_id' },
  ledger_rollup: { none: 'noted_xid' },
  ledger_total: { none: 'workspace program part' },
  lot: { none: 'workspace id account' },
  member_identity: {
    hashed: 'value', // an external id stands as it is, and is removed
    removed: 'label',
    none: 'workspace id account kind last_by',
  },
  member_pepper: { none: 'workspace pepper' },
  membership: { staff: 'invited_by', none: 'workspace id user_id role status' },
  oidc_identity: { staff: 'issuer subject', none: 'user_id' },
  one_time_token: { none: 'hash kind user_id workspace membership' },
  payment: {
    removed: 'customer metadata order_number',
    none: `workspace id provider endpoint status currency invoice store_credit_account discounts
      refunds disputes award refused_discounts`,
  },
  payment_secret: { none: 'workspace id endpoint provider secret mapping' },
  point_value: { none: 'workspace program currency' },
  program: {
    free: 'name currency_name tier_config metadata',
    none: `workspace id currency_code rounding expiry_mode expiry_fixed_date expiry_time_zone
      expiry_round_to late_payment expired_return`,
  },
  program_version: { free: 'data', none: 'workspace program' },
  ptx: {
    removed: 'reason metadata',
    staff: 'actor',
    free: 'batch',
    none: `workspace id account program type operation fingerprint redemption payment refund source
      reverses`,
  },
  reactor: {
    free: 'name conditions reactions metadata',
    none: 'workspace id trigger limits',
  },
  reactor_activation: { none: 'workspace event reactor account' },
  redemption: {
    removed: 'fulfillment reason metadata',
    none: `workspace id account reward program status variant discount code credit gift_cards payment
      transaction late_payment payment_unaffected fingerprint`,
  },
  redemption_message: { none: 'workspace operation redemption kind fingerprint' },
  refund: { removed: 'reason metadata', none: 'workspace id payment status kind' },
  reported_event: {
    removed: 'user_id',
    free: 'outcomes', // reactors' names and reasons
    none: `workspace id event_id fingerprint type account program reverses undone redemption`,
  },
  request: {
    aged: 'body',
    none: 'workspace id method route resource error_code error_param key',
  },
  reward: {
    free: 'name value fulfillment categories images metadata',
    none: 'workspace id program type limit_window min_tier tier_costs codes',
  },
  reward_variant: { free: 'attributes', none: 'workspace reward id' },
  rule_version: { free: 'data', none: 'workspace rule' },
  session: { staff: 'user_agent', none: 'id user_id hash' },
  settings: { free: 'entries', none: 'workspace' },
  source_owner: { none: 'workspace id provider endpoint' },
  team_member: { staff: 'email name', none: 'id' },
  tier_change: { removed: 'note', none: 'workspace id account from_tier to_tier reason' },
  tier_reassessment: { none: 'workspace program through' },
  tier_spend: { none: 'workspace program payment account' },
  webhook_delivery: {
    removed: 'attempts', // what receivers answered
    none: 'workspace id endpoint event status operation',
  },
  webhook_endpoint: {
    free: 'url description metadata',
    none: 'workspace id enabled_events status disabled_reason secret previous_secret',
  },
  workflow_outbox: {
    aged: 'last_error', // gone with the row, once it is sent
    none: 'workspace workflow_id workflow_type input facts change',
  },
  workspace: { free: 'name', none: 'id' },
}

/** A table's columns of one kind. */
export const columnsOf = (table: string, kind: ColumnKind): readonly string[] =>
  (PERSONAL_COLUMNS[table]?.[kind] ?? '').split(/\s+/).filter(Boolean)

/** What Temporal keeps of a run, and what stands there. */
export const TEMPORAL_STORES = [
  {
    name: 'inputs, results, signals and activities of runs',
    kind: 'none',
    about: 'ids, statuses, amounts and times of the rows; gone after the namespace’s retention',
  },
  {
    name: 'the input of an event that a till reported and that lost its database',
    kind: 'aged',
    about:
      'its payload, in which what looks like a person is refused; gone after the namespace’s retention',
  },
  {
    name: 'search attributes, summaries and current details',
    kind: 'none',
    about: 'ids, statuses and amounts',
  },
] as const
