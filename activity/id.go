package activity

import "github.com/google/uuid"

// idNamespace is the UUID of version 5 of the repository's URL.
var idNamespace = uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://github.com/fanfarehq/fanfare"))

// IDOf returns the id of something whose id in the application is no UUID, such as "org_2x": the
// UUID of version 5 (RFC 9562, section 5.5) of "<kind>:<external>" in a namespace of Fanfare, which
// the SQL function fanfare.id_of returns too. kind distinguishes ids that are alike, such as "user"
// and "org"; it must be 1 to 50 of a-z, 0-9, _ and -, which fanfare.id_of checks.
func IDOf(kind, external string) uuid.UUID {
	return uuid.NewSHA1(idNamespace, []byte(kind+":"+external))
}
