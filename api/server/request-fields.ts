/**
 * Of a route's body, the fields that the request log keeps and those that it leaves out: an allow-list, for
 * what is not named here is not written down. Left out is what is secret (keys, codes, cards, addresses of
 * receivers), personal (who a customer is, where a parcel goes, what somebody wrote about a member) or the
 * caller's own (metadata, payloads, settings). A test wants each field of each schema here, one way or the other.
 *
 * `a.b` is a field in a field, `a[]` an element of a list, `a.*` any field of a map. What is kept is a value;
 * what is left out, all that is in it.
 */
export type RequestFields = { readonly kept: readonly string[]; readonly left: readonly string[] }

const fields = (kept: string, left = ''): RequestFields => ({
  kept: kept.split(/\s+/).filter(Boolean),
  left: left.split(/\s+/).filter(Boolean),
})

const REWARD = `name cost value.percent value.maxAmount value.amount value.currency value.expiresDays
  value.product value.quantity value.partner value.sku active inventory starts_at ends_at per_member_limit
  per_member_limit.quantity per_member_limit.window min_tier holdMinutes fulfillment.deadlineDays
  fulfillment.onOverdue tier_costs.* variants[].id variants[].attributes.* variants[].inventory variants[].cost
  variants[].active codes codes.pool codes.generated.length categories[]`
const REWARD_LEFT = 'codes.generated.prefix images metadata'

const PROGRAM = `name currency.name currency.code currency.pointValue currency.rounding currency.decimals
  expiry.mode expiry.months expiry.fixedDate expiry.resetOnActivity expiry.warnDaysBefore expiry.timeZone
  expiry.roundTo clawback.allow_negative auto_enroll redemption.holdMinutes redemption.latePayment
  redemption.expiredReturn redemption.graceDays tierConfig.qualifyOn tierConfig.period.type
  tierConfig.period.months tierConfig.graceDays tierConfig.tiers[].name tierConfig.tiers[].rank
  tierConfig.tiers[].threshold tierConfig.tiers[].multiplier`

const EARNING_RULE = `name award.per_amount.points award.per_amount.amount award.per_amount.currency award.fixed
  award.per_currency.*.points award.per_currency.*.amount award.per_currency[].points
  award.per_currency[].amount award.per_currency[].currency multiplier cap.points cap.window
  conditions.min_amount conditions.minAmount conditions.currency pendingDays starts_at ends_at active`
const EARNING_RULE_LEFT = 'conditions.metadata metadata'

const REACTOR = `name conditions conditions[] reactions[].type reactions[].points reactions[].allowNegative
  reactions[].tier reactions[].reward reactions[].quantity reactions[].event limits.per_user.activations
  limits.per_user.window limits.in_all.activations limits.in_all.window order starts_at ends_at active`
const REACTOR_LEFT = 'reactions[].reason reactions[].payload metadata'

/** By method and path under `/v1`. */
export const REQUEST_FIELDS: Readonly<Record<string, RequestFields>> = {
  'POST /v1/approvals/{id}/approve': fields('number', 'note'),
  'POST /v1/approvals/{id}/decline': fields('', 'note'),
  'POST /v1/approvals/{id}/withdraw': fields('', 'note'),
  'POST /v1/attention/{id}/snooze': fields('until', 'reason'),
  'POST /v1/attention/{id}/resolve': fields('', 'reason'),
  'POST /v1/loyalty/accounts': fields('program', 'customer metadata'),
  'PATCH /v1/loyalty/accounts/{id}': fields('', 'customer metadata'),
  'POST /v1/loyalty/accounts/merge': fields('source target'),
  'POST /v1/loyalty/accounts/{id}/set_tier': fields('tier', 'reason'),
  'POST /v1/loyalty/accounts/{id}/identities': fields(
    'kind',
    'external_id label phone phone_hash token',
  ),
  'POST /v1/loyalty/rewards': fields(`program type ${REWARD}`, REWARD_LEFT),
  'PATCH /v1/loyalty/rewards/{id}': fields(REWARD, REWARD_LEFT),
  'POST /v1/loyalty/redemptions': fields('account reward variant quantity', 'shipping metadata'),
  'POST /v1/loyalty/redemptions/{id}/extend': fields('minutes'),
  'POST /v1/loyalty/redemptions/{id}/reverse': fields('points quantity refund_payment', 'reason'),
  'POST /v1/loyalty/redemptions/{id}/fulfill': fields('carrier quantity', 'tracking'),
  'POST /v1/loyalty/quotes': fields('account reward variant quantity'),
  'POST /v1/loyalty/code_pools': fields('name low_at', 'metadata'),
  'POST /v1/loyalty/code_pools/{id}/codes': fields('', 'codes'),
  'POST /v1/loyalty/programs': fields(PROGRAM, 'metadata'),
  'PATCH /v1/loyalty/programs/{id}': fields(PROGRAM, 'metadata'),
  'POST /v1/loyalty/transactions': fields('account type amount expires_at', 'reason metadata'),
  'POST /v1/loyalty/transactions/batch': fields(
    'transactions[].account transactions[].type transactions[].amount transactions[].expires_at',
    'transactions[].reason transactions[].metadata',
  ),
  'POST /v1/loyalty/transactions/{id}/reverse': fields('', 'reason metadata'),
  'POST /v1/payments': fields(
    `amount currency discounts[].redemption redemptions[] store_credit store_credit.account
      store_credit.amount`,
    'customer discounts[].code card metadata',
  ),
  'POST /v1/payments/{id}/confirm': fields('', 'card'),
  'POST /v1/refunds': fields('payment amount return_redemption store_credit', 'reason metadata'),
  'POST /v1/loyalty/earning_rules': fields(`program trigger ${EARNING_RULE}`, EARNING_RULE_LEFT),
  'PATCH /v1/loyalty/earning_rules/{id}': fields(EARNING_RULE, EARNING_RULE_LEFT),
  'POST /v1/loyalty/earning_previews': fields('account amount currency at', 'customer metadata'),
  'POST /v1/events': fields('type timestamp eventId reverses hold', 'user payload'),
  'POST /v1/webhook_endpoints': fields('enabled_events[] description', 'url metadata'),
  'PATCH /v1/webhook_endpoints/{id}': fields('enabled_events[] description status', 'url metadata'),
  'POST /v1/webhook_endpoints/{id}/roll_secret': fields('overlap_hours'),
  'POST /v1/webhook_endpoints/{id}/replay': fields('event events[] created.gte created.lt'),
  'POST /v1/api_keys': fields('type name scopes[] expires_at'),
  'PATCH /v1/api_keys/{id}': fields('name scopes[]'),
  'POST /v1/api_keys/{id}/roll': fields('overlap_hours'),
  'POST /v1/team_members': fields('role', 'email'),
  'PATCH /v1/team_members/{id}': fields('status'),
  'PATCH /v1/memberships/{id}': fields('role'),
  'POST /v1/sessions': fields('', 'email password token name code state iss'),
  'PATCH /v1/sessions/current': fields('', 'name'),
  'POST /v1/sessions/change_password': fields('', 'current_password new_password'),
  'POST /v1/event_types': fields('name description', 'schema'),
  'PATCH /v1/event_types/{id}': fields('description', 'schema'),
  'POST /v1/reactors': fields(`trigger ${REACTOR}`, REACTOR_LEFT),
  'PATCH /v1/reactors/{id}': fields(REACTOR, REACTOR_LEFT),
  'POST /v1/reactors/{id}/dry_run': fields('timestamp', 'user payload'),
  'PUT /v1/settings': fields('', '*'),
  'POST /v1/members/lookup': fields('till', 'token phone phone_hash id'),
}
