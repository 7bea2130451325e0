// Package tenantdata knows which rows of a database belong to a tenant, and copies, compares,
// exports, imports and removes them. It does not decide when: package tenantmove does.
//
// Rows are copied and compared in chunks: ranges of a table's key. A chunk is compared by its
// digest, the number of its rows and two sums of 64-bit hashes of their texts, which both databases
// compute for themselves. So one function does the first copy, later ones and the repetition after
// an interruption: it copies the chunks that differ. The last comparison, while no row can change,
// reads only the chunks that may have changed since the one before (see [Baseline]).
//
// The tables differ in what is done with them (see [Kind]). The log is append-only, so what is
// compared while no row expires remains equal as long as the number of rows does. Pending
// activities are never copied from their tables, since workers change these: they are taken out of
// them first (see [Stage]).
package tenantdata
