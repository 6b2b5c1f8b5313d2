export { actingAs } from '../db/acting.ts'
