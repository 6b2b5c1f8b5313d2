import type { Tables } from '../rule.ts'

export const tables = {
  vinr_id_from: [
    ['the epoch is the smallest', ['ptx', '1970-01-01T00:00Z'], 'ptx_0000000000000'],
    ['a microsecond is one', ['evt', '1970-01-01T00:00:00.000001Z'], 'evt_0000000000001'],
    ['ids of later moments sort later', ['rdm', '2026-01-01T00:00Z'], 'rdm_6474846204000'],
    [
      'the zone of writing is of no concern',
      ['rdm', '2026-01-01T01:00+01:00'],
      'rdm_6474846204000',
    ],
  ],
  derived_id: [
    [
      'one name at one endpoint always gives one id',
      ['pay', 'whs_1', 'pi_3Q', 0],
      'pay_QK4Lz7Widh5FRiZJThNg7K',
    ],
    ['another try is another id', ['pay', 'whs_1', 'pi_3Q', 1], 'pay_l5mdkQLFCJj4mDIs57tJey'],
    ['another endpoint is another id', ['pay', 'whs_2', 'pi_3Q', 0], 'pay_R2ovhtHmya3CvUb1DlQgpG'],
    ['a name of any length', ['re', 'whs_1', 'x'.repeat(500), 0], 're_85fXC6ebP4hGlMR6A3wNSs'],
  ],
  outbox_lease: [
    [
      'an attempt’s microsecond tells one lease from the next',
      ['2026-01-01T00:00:00.000001Z'],
      1_767_225_600_000_001,
    ],
  ],
  event_names: [
    ['a type without a dot is subscribed to by itself and by all', ['ping'], ['*', 'ping']],
    [
      'each of its families too',
      ['loyalty.redemption.applied'],
      ['*', 'loyalty.redemption.applied', 'loyalty.*', 'loyalty.redemption.*'],
    ],
  ],
  event_data: [
    [
      'what it happened to, as it was',
      [{ id: 'loy_1', balance: 5 }, 'loy_1'],
      { id: 'loy_1', balance: 5 },
    ],
    [
      'an address is left with its redemption, where it can be forgotten',
      [{ fulfillment: { quantity: 1, shipping: { name: 'Mira' } } }, 'rdm_1'],
      { fulfillment: { quantity: 1, shipping: { redemption: 'rdm_1' } } },
    ],
    [
      'none is none',
      [{ fulfillment: { quantity: 1, shipping: null } }, 'rdm_1'],
      { fulfillment: { quantity: 1, shipping: null } },
    ],
  ],
} satisfies Tables
