// Package pglog reads the log of activities that is kept in PostgreSQL.
//
// Every reading is bounded. List and Count read a limited number of activities per call; Walk reads
// any number of them in steps, each a statement of its own, so that no transaction, connection or
// snapshot is held between two steps. A reading follows one index, which its filter selects, in the
// order of ids; the filter's other conditions are tested on the rows that the index yields.
package pglog
