import { DefaultLogger, Runtime } from '@temporalio/worker'

// Once for each process. The engine's own news is noise in a test; its errors are not.
Runtime.install({ logger: new DefaultLogger('ERROR') })
