import { startPostgres } from '/work/main/dev/postgres.ts'
import pg from 'pg'
const dir = process.argv[2]!
const t0 = performance.now()
const p = await startPostgres({ dataDir: dir, durable: process.argv[3] !== 'fast', port: 5499, onProgress: console.log })
console.log('up', Math.round(performance.now() - t0), p)
if (process.argv[4] === 'leave') process.kill(process.pid, 'SIGKILL')
const c = new pg.Client(p.adminUrl); await c.connect()
console.log((await c.query("select version(), current_setting('fsync') f, current_setting('TimeZone') tz, current_setting('lc_collate',true) x, (select datcollate||datlocprovider::text from pg_database limit 1)")).rows)
await c.end()
if (process.argv[4] === 'kill') { p.kill(); console.log(await p.exited); const q = await startPostgres({ dataDir: dir, onProgress: console.log }); console.log('again', Math.round(performance.now() - t0)); await q.stop() }
await p.stop()
console.log('stopped', Math.round(performance.now() - t0), await p.exited)
