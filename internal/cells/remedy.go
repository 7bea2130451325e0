package cells

import "strings"

// Remedy returns a text about a cell's database that names the key of the file instead of the
// setting of an installation with one database.
func Remedy(text string) string {
	return strings.ReplaceAll(text, "--database-url", "the cell's database_url")
}
