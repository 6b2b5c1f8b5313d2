import { createTransport } from 'nodemailer'
import type { OnFailure } from '../domain/failure.ts'
import type { OneTimeToken } from './invitations.ts'

const MAIL_MS = 10_000 // a request waits for it

export type MailSettings = { smtpUrl: string; from: string }

/** What an answer says of a token. */
type Delivered = {
  token: string | null
  url: string | null
  sent_to: string | null
  expires_at: string | null
}

export type TokenDelivery = {
  readonly areMailed: boolean
  /** Mails the token, or shows it; a repeat of its request has none. */
  send(token: OneTimeToken | undefined, email: string): Promise<Delivered>
}

const SUBJECTS = {
  invitation: 'You are invited',
  reset: 'Set another password',
  sign_in: 'Sign in',
} as const

/** How one-time tokens get to people: by mail where that is configured, else in the answer to whoever asked. */
export function tokenDelivery({
  mail,
  signInUrl,
  onFailure,
}: {
  mail?: MailSettings | undefined
  /** The page that takes tokens. */
  signInUrl?: string | undefined
  onFailure: OnFailure
}): TokenDelivery {
  const timeouts = { connectionTimeout: MAIL_MS, greetingTimeout: MAIL_MS, socketTimeout: MAIL_MS }
  const transport = mail && createTransport(mail.smtpUrl, { from: mail.from, ...timeouts })
  // after the #: it is in no log of a server on the way
  const urlOf = (token: string) => (signInUrl === undefined ? null : `${signInUrl}#token=${token}`)

  return {
    areMailed: mail !== undefined,
    send: async (made, email) => {
      if (made === undefined) return { token: null, url: null, sent_to: null, expires_at: null }
      const { kind, token, expiresAt } = made
      const expires_at = expiresAt.toISOString()
      const shown = { token, url: urlOf(token), sent_to: null, expires_at }
      if (transport === undefined) return shown
      const hidden = { token: null, url: null, sent_to: email, expires_at }
      try {
        await transport.sendMail({
          to: email,
          subject: SUBJECTS[kind],
          text: textOf(made, urlOf(token)),
        })
        return hidden
      } catch (error) {
        onFailure({ kind: 'mail', error })
        // a reset is for the person alone: they may be of other workspaces too
        return kind === 'reset' ? { ...hidden, sent_to: null } : shown
      }
    },
  }
}

const textOf = ({ kind, token, expiresAt }: OneTimeToken, url: string | null): string =>
  [
    `${SUBJECTS[kind]}: until ${expiresAt.toISOString()}, once.`,
    url ?? `At a command line: vinr user accept ${token}`,
    'If you did not expect this, do nothing.',
  ].join('\n\n')
