// Package taxonomy is the registry of actions: their meaning, their defaults, the schemas of their
// payloads and the texts of their events.
//
// An application keeps its taxonomy in a YAML file beside its code (docs/taxonomy.md). The command
// fanfare taxonomy apply writes the file to the database, and the function that records activities
// enforces it on every writer. Parse reads a file and Load reads the applied taxonomy; Diff
// compares two taxonomies, and Apply changes the applied one.
//
// Check is a hook for services in Go. It validates the complete schema of a payload before the
// activity is recorded; the database checks the required keys, the kept keys and the size.
package taxonomy
