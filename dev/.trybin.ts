import { temporalBinary } from './temporal/binary.ts'
const t0 = performance.now()
try { console.log(await temporalBinary({ onProgress: (l) => console.log('  >', l) }), Math.round(performance.now() - t0)) } catch (e) { console.log((e as Error).message, Math.round(performance.now() - t0)) }
