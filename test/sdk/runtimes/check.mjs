/**
 * What the SDK must do wherever it runs, as plain JavaScript that any runtime takes as it is.
 * Answers with what it saw; runtimes.test.ts knows what that must be.
 */
export async function check(sdk, { baseUrl, secretKey, webhook, run }) {
  const vinr = new sdk.Vinr({ secretKey, baseUrl, webhookSecret: webhook.secret })

  const verified = vinr.webhooks.verify(webhook.payload, webhook.signature)
  const bytes = new TextEncoder().encode(webhook.payload)
  const again = vinr.webhooks.verify(bytes, webhook.signature)
  const refused = thrownBy(() => vinr.webhooks.verify(`${webhook.payload} `, webhook.signature))

  const key = { idempotencyKey: `runtime-${run}` }
  const first = await vinr.loyalty.accounts.create({}, key)
  const second = await vinr.loyalty.accounts.create({}, key)
  async function* rows() {
    for (let n = 1; n <= 3; n++) yield { account: first.id, amount: n, key: String(n) }
  }
  const sent = await vinr.loyalty.imports.create(rows())
  let written = 0
  for await (const { posted } of vinr.loyalty.imports.progress(sent.id, { everyMs: 50 })) {
    written = posted
  }
  const amounts = []
  for await (const { amount } of vinr.loyalty.transactions.list({ account: first.id, limit: 2 })) {
    amounts.push(amount)
  }
  const missing = await vinr.loyalty.accounts.retrieve('loy_none').catch((error) => error)
  return {
    verified: verified.id === again.id && verified.type,
    refused: refused instanceof sdk.VinrSignatureError,
    replayed: second.id === first.id && second.lastResponse.replayed,
    written,
    amounts: amounts.sort((a, b) => a - b),
    missing: missing instanceof sdk.VinrNotFoundError && missing.code,
    requestId: typeof missing.requestId,
  }
}

function thrownBy(call) {
  try {
    return call()
  } catch (error) {
    return error
  }
}
