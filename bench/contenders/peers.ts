import type { Contender } from '../contender.ts'
import { peer } from './peer.ts'
import { startRestate } from './restate-server.ts'

/**
 * Restate splits its log into 24 partitions unless told otherwise, for a cluster's sake. On a box
 * of two cores one is up to twice as fast; it is measured both ways, and ours is tuned as well.
 */
const ONE_PARTITION = 1
const AS_IT_COMES = null

const DBOS_WORKFLOWS = `
  SELECT count(*) AS n FROM dbos.workflow_status WHERE status IN ('PENDING', 'DELAYED')`

/** Debit, and a release 30 minutes later unless something intervenes. */
export const CREATE_PEERS: Contender[] = [
  peer({
    name: 'dbos',
    title: 'DBOS: a workflow debits as a step, sleeps durably, releases',
    process: 'dbos',
    variant: 'sleep',
    armedQuery: DBOS_WORKFLOWS,
  }),
  peer({
    name: 'dbos-armed',
    title: 'DBOS, the release first: a delayed release is queued, then the request debits',
    process: 'dbos',
    variant: 'armed',
    armedQuery: DBOS_WORKFLOWS,
  }),
  peer({
    name: 'restate',
    title: 'Restate, one partition: a handler debits in a step, sends a delayed release',
    process: 'restate',
    variant: 'send',
    surroundings: (turn) => startRestate(turn, ONE_PARTITION),
  }),
  peer({
    name: 'restate-default',
    title: 'Restate as it comes (24 partitions): likewise',
    process: 'restate',
    variant: 'send',
    surroundings: (turn) => startRestate(turn, AS_IT_COMES),
  }),
  peer({
    name: 'restate-armed',
    title:
      'Restate, one partition, the release first: a delayed release is sent, then the request debits',
    process: 'restate',
    variant: 'armed',
    surroundings: (turn) => startRestate(turn, ONE_PARTITION),
  }),
  peer({
    name: 'pg-boss',
    title: 'pg-boss: debit and delayed job in one transaction',
    process: 'pg-boss',
    armedQuery: `SELECT count(*) AS n FROM pgboss.job WHERE name = 'release' AND state = 'created'`,
  }),
  peer({
    name: 'sweeper',
    title: 'No engine: debit and hold row in one statement, a sweep each second',
    process: 'sweeper',
    armedQuery: 'SELECT count(*) AS n FROM hold',
  }),
]

/** Debit, then a payment's event or the deadline, whichever comes first. */
export const CYCLE_PEERS: Contender[] = [
  peer({
    name: 'dbos',
    title: 'DBOS: a workflow debits, waits in `recv`, applies; the event is a `send`',
    process: 'dbos',
    variant: 'pay',
    takesPayments: true,
    armedQuery: DBOS_WORKFLOWS,
  }),
  peer({
    name: 'restate',
    title: 'Restate, one partition: a workflow waits for a durable promise or its timer',
    process: 'restate',
    variant: 'pay',
    takesPayments: true,
    surroundings: (turn) => startRestate(turn, ONE_PARTITION),
  }),
  peer({
    name: 'restate-default',
    title: 'Restate as it comes (24 partitions): likewise',
    process: 'restate',
    variant: 'pay',
    takesPayments: true,
    surroundings: (turn) => startRestate(turn, AS_IT_COMES),
  }),
]
