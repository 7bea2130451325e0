// Package sandbox runs a private installation with sample data, to develop against and to try: a
// PostgreSQL, a Centrifugo, and the worker and the API of fanfare run. It prints links to the
// console, and commands that record an activity, read an inbox and listen, in SQL, curl, Go, Python
// and Node.
package sandbox
