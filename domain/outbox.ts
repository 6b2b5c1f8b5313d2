/** What has become of a row whose workflow is started or signalled. */
export const OUTBOX_CHANGES = ['new', 'changed', 'ended'] as const
