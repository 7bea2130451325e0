// Package tenantmove moves a tenant from one database to another while both are in use. Nothing is
// lost, nothing is delivered twice, and the tenant's writers wait for a few seconds.
//
// Each database has a row of the move in fanfare.tenant_moves. The step of the source's row says
// what has been done; [next] decides from both rows what is done next, so that a move which was
// interrupted anywhere continues when it is called again:
//
//   - begun: both databases were compared and have a row. In the destination the tenant is frozen,
//     so that only the move writes its rows. Nothing of the tenant expires or is redacted any more.
//   - copying: everything is being copied while the source is in use, in passes, each of which
//     copies what differs. The log is compared.
//   - frozen: triggers refuse what would change the tenant's rows in the source. They were created
//     while no transaction wrote one of the tables, so everything that was recorded is committed.
//     The source's worker delivers what is pending.
//   - delta: what is still pending was taken out of the reach of the source's workers, in one
//     transaction. What may have changed since the last pass is compared and copied.
//   - verified: the databases are equal.
//   - opened, of the destination's row: the pending activities are in the destination's outbox and
//     the tenant is no longer frozen there. The commit of this step is the switch: from here on the
//     move cannot be aborted.
//   - moved: the source's row names the destination as the tenant's database. The tenant remains
//     frozen in the source, so that no writer that missed the move can write there.
//   - cleared: the source's copy was removed.
//
// Both rows are changed only by statements that require the step before, and every transaction that
// writes to the destination locks its row. So two processes cannot undo each other's steps, and a
// move that is aborted cannot open the destination any more. A lock on the tenant only serves to
// refuse a second process early.
package tenantmove
