import { defineSignal, patched, setHandler } from '@temporalio/workflow'
import { type Row, rowChanged } from '../messages.ts'

/**
 * What an API of this release sends, also to a run that a worker of the one before began. While such a
 * worker had the run the signal did nothing, and it does nothing on replay: else a timer of then would
 * break it.
 */
export function onRowChanged<Facts>(receive: (row: Row<Facts>) => void): void {
  setHandler(defineSignal<[Row<Facts>]>(rowChanged.name), (row) => {
    if (patched('row-changed-to-a-run-of-before')) receive(row)
  })
}
