import { vinr } from './program.ts'

await vinr().parseAsync()
