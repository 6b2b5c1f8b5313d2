/**
 * Looks for personal data in a payload: by the name of a field, and by what a text looks like. It is a
 * safeguard against mistakes, not a proof; docs/reactors.md says what it catches and what it lets pass.
 */
type PersonalData = { readonly path: string; readonly kind: string }

const DEEPEST = 20 // a payload nested deeper is refused as such
const TOO_DEEP = 'nesting deeper than 20'

/** Fields that name a person wherever they stand; compared without case, dashes and underscores. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  name: ['firstname', 'lastname', 'surname', 'fullname', 'givenname', 'familyname', 'maidenname'],
  email: ['email', 'emailaddress', 'mailaddress'],
  phone: ['phone', 'phonenumber', 'telephone', 'mobile', 'mobilenumber', 'mobilephone', 'msisdn'],
  address: [
    'address',
    'streetaddress',
    'homeaddress',
    'postaladdress',
    'shippingaddress',
    'billingaddress',
  ],
  birthday: ['birthday', 'birthdate', 'dateofbirth', 'dob'],
  card: ['cardnumber', 'pan', 'cvv', 'cvc', 'cardholder'],
  identity: ['ssn', 'socialsecuritynumber', 'passport', 'passportnumber', 'nationalid', 'taxid'],
  account: ['iban', 'password'],
  device: ['ip', 'ipaddress'],
}
const KIND_OF = new Map(
  Object.entries(KEYS).flatMap(([kind, keys]) => keys.map((key) => [key, kind] as const)),
)

// A product and a store have names too: `name` alone is a person's at the top, and under or after a person.
const PERSON =
  '(?:customer|member|user|person|guest|buyer|shopper|cashier|employee|contact|recipient|owner)'
const IS_PERSON = new RegExp(`${PERSON}$`)
const OF_PERSON = new RegExp(`^${PERSON}(.+)$`)

/** The first thing that looks like personal data, or null. */
export function findPersonalData(payload: unknown): PersonalData | null {
  return look(payload, 'payload', true, 0)
}

function look(value: unknown, path: string, personal: boolean, depth: number): PersonalData | null {
  if (depth > DEEPEST) return { path, kind: TOO_DEEP }
  if (typeof value === 'string') return named(path, kindOfText(value))
  if (typeof value === 'number')
    return named(path, isCardNumber(String(value)) ? 'a card number' : null)
  if (typeof value !== 'object' || value === null) return null
  for (const [key, item] of Object.entries(value)) {
    const isItem = Array.isArray(value)
    const place = isItem ? `${path}[${key}]` : `${path}.${key}`
    const kind = isItem || !says(item) ? null : kindOfKey(key, personal)
    const found =
      named(place, kind) ??
      look(item, place, isItem ? personal : IS_PERSON.test(plain(key)), depth + 1)
    if (found !== null) return found
  }
  return null
}

const named = (path: string, kind: string | null) => (kind === null ? null : { path, kind })

/** What a field of this name holds of a person; null: nothing. `personal`: it stands where a person does. */
export function kindOfKey(key: string, personal: boolean): string | null {
  const word = plain(key)
  const own = OF_PERSON.exec(word)?.[1] ?? word
  if (own === 'name' && (personal || own !== word)) return 'a name'
  const kind = KIND_OF.get(own)
  return kind === undefined ? null : `a field for ${kind}`
}

const plain = (key: string) => key.toLowerCase().replaceAll(/[^a-z]/g, '')

/** A flag such as `phone: true`, or nothing at all, tells of nobody. */
function says(value: unknown): boolean {
  return value !== null && value !== '' && typeof value !== 'boolean' && value !== undefined
}

const EMAIL = /[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,4}\.[a-z]{2,24}\b/i
// Only with its + : a number without one may be any order's.
const PHONE = /(?<![\w.+-])\+[1-9](?:[ ()./-]{0,2}\d){7,14}(?![\w])/
const DIGITS = /(?<![\w.+-])\d(?:[ -]?\d){13,18}(?![\w])/g
const IBAN =
  /(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?(?![A-Za-z0-9])/g
const LONGEST_LOOKED_AT = 10_000 // characters of one text

function kindOfText(text: string): string | null {
  const head = text.slice(0, LONGEST_LOOKED_AT)
  if (EMAIL.test(head)) return 'an e-mail address'
  if (PHONE.test(head)) return 'a phone number'
  if ([...head.matchAll(DIGITS)].some(([digits]) => isCardNumber(digits.replaceAll(/[ -]/g, '')))) {
    return 'a card number'
  }
  if ([...head.matchAll(IBAN)].some(([iban]) => isIban(iban.replaceAll(' ', '')))) return 'an IBAN'
  return null
}

// Visa, Mastercard, Amex, Discover, Diners, JCB, UnionPay with their lengths: a check digit alone is
// right for every tenth number, and for every other barcode.
const ISSUED =
  /^(?:4\d{15}|4\d{18}|5[1-5]\d{14}|2(?:2[2-9]|[3-6]\d|7[01])\d{13}|2720\d{12}|3[47]\d{13}|6(?:011|5\d\d|4[4-9]\d)\d{12}|3(?:0[0-5]|[689]\d)\d{11}|35\d{14}|62\d{14,17})$/

function isCardNumber(digits: string): boolean {
  if (!ISSUED.test(digits)) return false
  const sum = Array.from(digits)
    .reverse()
    .reduce((total, digit, index) => {
      const doubled = Number(digit) * (index % 2 === 1 ? 2 : 1)
      return total + (doubled > 9 ? doubled - 9 : doubled)
    }, 0)
  return sum % 10 === 0
}

function isIban(iban: string): boolean {
  if (iban.length < 15 || iban.length > 34) return false
  const moved = `${iban.slice(4)}${iban.slice(0, 4)}`
  const digits = moved.replaceAll(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55))
  return BigInt(digits) % 97n === 1n
}
