import { describe, expect, it } from 'vitest'
import { findPersonalData } from './personal-data.ts'

describe('looks like personal data', () => {
  it.each([
    // by key, in any spelling and at any depth
    [{ email: 'x' }, 'payload.email'],
    [{ 'E-Mail': 'x' }, 'payload.E-Mail'],
    [{ name: 'Ola' }, 'payload.name'],
    [{ firstName: 'Ola' }, 'payload.firstName'],
    [{ last_name: 'Nordmann' }, 'payload.last_name'],
    [{ customerName: 'Ola' }, 'payload.customerName'],
    [{ cashier: { name: 'Kari' } }, 'payload.cashier.name'],
    [{ customer: { contact: { name: 'Ola' } } }, 'payload.customer.contact.name'],
    [{ member_email: 'x' }, 'payload.member_email'],
    [{ phone: 12345678 }, 'payload.phone'],
    [{ mobileNumber: '12 34 56 78' }, 'payload.mobileNumber'],
    [{ sale: { shipping_address: { street: 'x' } } }, 'payload.sale.shipping_address'],
    [{ dateOfBirth: '1990-01-01' }, 'payload.dateOfBirth'],
    [{ items: [{ sku: 'A' }, { card_number: 'x' }] }, 'payload.items[1].card_number'],
    [{ ip_address: '10.0.0.1' }, 'payload.ip_address'],
    // by look
    [{ note: 'call ola.nordmann+x@example.co.uk' }, 'payload.note'],
    [{ note: '+47 912 34 567' }, 'payload.note'],
    [{ note: 'tel: +1 (415) 555-2671, evenings' }, 'payload.note'],
    [{ note: '4242 4242 4242 4242' }, 'payload.note'],
    [{ note: '4242-4242-4242-4242' }, 'payload.note'],
    [{ note: 'amex 378282246310005' }, 'payload.note'],
    [{ reference: 5555555555554444 }, 'payload.reference'],
    [{ note: 'GB82 WEST 1234 5698 7654 32' }, 'payload.note'],
    [{ note: 'NO9386011117947' }, 'payload.note'],
    [{ tags: ['a', ['b@example.org']] }, 'payload.tags[1][0]'],
  ])('%j', (payload, path) => {
    expect(findPersonalData(payload)?.path).toBe(path)
  })
})

describe('does not look like personal data', () => {
  it.each([
    [{ points: 500, transactionId: 'T-20260512-000123', storeId: 'OSL-1', cashierId: 17 }],
    [{ product: { name: 'Tote bag' }, store: { name: 'Oslo S' } }],
    [{ items: [{ name: 'Latte', price: 49.9 }] }],
    [{ productName: 'Latte', campaign_name: 'Summer' }],
    [{ email: true, phone: false, name: null }], // flags and nothing
    [{ emailOptIn: 'yes' }],
    [{ barcode: '4006381333931' }], // EAN-13, whose check digit is right
    [{ barcode: '04006381333931' }],
    [{ orderNumber: '4242424242424241' }], // no check digit
    [{ orderNumber: '1234567812345670' }], // a check digit, and no issuer
    [{ reference: '9912345678901234567' }],
    [{ receipt: 'a4242424242424242b' }], // inside a word
    [{ time: '2026-05-12T10:20:30+02:00' }],
    [{ amount: '+100', delta: '+12 345 67' }],
    [{ phoneModel: 'X200', handle: '@coffee' }],
    [{ url: 'https://shop.example.com/@summer' }],
    [{ uuid: '550e8400-e29b-41d4-a716-446655440000' }],
    [{ sku: 'DE12345678901234567890' }], // shaped like an IBAN, and no check digits
    [{ total: 1234567.89, epoch: 1795258957337 }],
  ])('%j', (payload) => {
    expect(findPersonalData(payload)).toBeNull()
  })
})

it('a payload nested beyond all use is refused where it goes too deep', () => {
  let nested: unknown = 1
  for (let depth = 0; depth < 30; depth++) nested = [nested]
  expect(findPersonalData({ nested })?.kind).toMatch(/nesting/)
})
