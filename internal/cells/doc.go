// Package cells reads the file of the cells of an installation, and decides which cell a tenant
// belongs to.
//
// A cell is a database with Fanfare's schema, with the data of some tenants. A tenant belongs to
// the cell that lists it, else to the cell whose slots include its slot, else to none. A tenant
// that has moved belongs to the cell that it moved to, until the file lists it there.
//
// Invariants:
//   - A tenant belongs to at most one cell, and every process with the same file and the same moves
//     decides for the same one.
//   - No password is part of an error.
package cells
