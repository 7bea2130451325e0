package activity

import "github.com/google/uuid"

// Principal identifies a principal within a tenant: a user, an agent or a service of the directory.
type Principal struct {
	TenantID    uuid.UUID
	PrincipalID uuid.UUID
}
