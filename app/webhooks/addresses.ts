import { BlockList, isIP } from 'node:net'

// What the IANA registries of special-purpose addresses do not call global.
const PRIVATE_4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]
// Of IPv6 only the global unicast block is public, and in it not these: Teredo and 6to4 carry an
// IPv4 address of the caller's choice.
const GLOBAL_6 = ['2000::/3']
const PRIVATE_6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

export type AddressGuard = (address: string) => boolean

const blocked4 = listOf(PRIVATE_4)
const global6 = listOf(GLOBAL_6)
const blocked6 = listOf(PRIVATE_6)
const mapped = listOf(['::ffff:0:0/96'])

/**
 * Whether a webhook may be sent to an address: public ones, and those that the configuration
 * allows (addresses or CIDR blocks). Throws on an entry that is neither.
 */
export function addressGuard(allowed: readonly string[]): AddressGuard {
  const exempt = listOf(allowed)
  return (address) => {
    const family = isIP(address)
    if (family === 0) return false
    if (exempt.check(address, family === 4 ? 'ipv4' : 'ipv6')) return true
    if (family === 4) return !blocked4.check(address, 'ipv4')
    // Node holds an IPv4-mapped address against the IPv4 rules.
    if (mapped.check(address, 'ipv6')) return !blocked4.check(address, 'ipv6')
    return global6.check(address, 'ipv6') && !blocked6.check(address, 'ipv6')
  }
}

function listOf(entries: readonly string[]): BlockList {
  const list = new BlockList()
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/', 2)
    const family = isIP(address)
    if (family === 0) throw new Error(`WEBHOOK_ALLOWED_ADDRESSES: ${entry} is no address or block`)
    const type = family === 4 ? 'ipv4' : 'ipv6'
    list.addSubnet(address, prefix === undefined ? (family === 4 ? 32 : 128) : Number(prefix), type)
  }
  return list
}
