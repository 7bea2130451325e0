// Package taxonomy is the registry of actions: which there are, what each means, what its payload
// must hold and how it reads.
//
// An application keeps it in one file beside its code (docs/taxonomy.md), and fanfare taxonomy
// apply writes it into the database, where the function that records activities holds every writer
// to it. Parse reads the file, Load what is applied, Diff compares the two, Apply brings the
// database to the file. Check is what a service written in Go may put before its recording: it
// knows the whole schema of a payload, of which the database knows the keys and the size.
package taxonomy
