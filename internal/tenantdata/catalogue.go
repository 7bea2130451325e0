package tenantdata

// Kind is what is done with the rows of a table when a tenant moves.
type Kind int

// The kinds.
const (
	// Rows may change while they are copied, until their tenant is frozen.
	Rows Kind = iota
	// Log is the activity log, whose rows are only added.
	Log
	// Keys are the idempotency keys, which follow their activities.
	Keys
	// Pending rows are taken out of the table first, into Staging.
	Pending
	// Staging has the rows that were taken out of the tables of the kind Pending.
	Staging
	// Left rows are not copied: they end by themselves within minutes.
	Left
	// Bookkeeping is the table of moves, which is no data of the tenant.
	Bookkeeping
)

// Table describes a table with a column tenant_id.
type Table struct {
	Name string // in the schema fanfare
	Kind Kind

	// Key are columns of the type uuid, whose ranges divide a tenant's rows into chunks. A table
	// without a key has few rows of a tenant, in one chunk.
	Key []string
	// Unindexed reports that no index contains the key of all rows: those of all chunks are read at
	// once.
	Unindexed bool
	// Directory reports that the application may have replaced the table by a view.
	Directory bool
	// Ignored are columns that may differ: they say when something was last used.
	Ignored []string
	// Frozen are the events that are refused while the tenant is frozen.
	Frozen []Event
}

// Event is an event of a trigger.
type Event string

// The events.
const (
	Insert Event = "INSERT"
	Update Event = "UPDATE"
	Delete Event = "DELETE"
)

// Tables returns all tables with rows of tenants, in the order in which they are copied: what
// others refer to comes first. The partitions of the log belong to it.
func Tables() []Table {
	every := []Event{Insert, Update, Delete}
	return []Table{
		{Name: "principals", Key: []string{"id"}, Directory: true, Frozen: every},
		{Name: "resources", Key: []string{"id"}, Directory: true, Frozen: every},
		{
			Name: "role_bindings", Key: []string{"principal_id", "scope_resource_id"}, Unindexed: true,
			Directory: true, Frozen: every,
		},
		{Name: "memberships", Key: []string{"group_id", "principal_id"}, Directory: true, Frozen: every},
		{Name: "subscriptions", Key: []string{"id"}, Frozen: every},
		{Name: "preferences", Key: []string{"principal_id"}, Frozen: every},
		{Name: "watch_levels", Key: []string{"principal_id", "resource_id"}, Frozen: every},
		{Name: "tenant_preferences", Frozen: every},
		{Name: "enforcement", Frozen: every},
		{Name: "retention", Frozen: every},
		{Name: "legal_holds", Key: []string{"id"}, Frozen: every},
		{Name: "retention_progress"},
		{Name: "retention_unrecorded"},
		{Name: "service_tokens", Key: []string{"id"}, Frozen: every, Ignored: []string{"last_used_at"}},
		{Name: "activities", Kind: Log, Key: []string{"id"}},
		{Name: "idempotency_keys", Kind: Keys},
		// A worker adds notifications until the pending activities are taken out of its reach.
		{Name: "notifications", Key: []string{"principal_id", "activity_id"}, Frozen: []Event{Update, Delete}},
		// Recording adds a row here. Workers delete rows, so they must be able to.
		{Name: "outbox", Kind: Pending, Frozen: []Event{Insert}},
		{Name: "parked", Kind: Pending},
		{Name: "fan_out_jobs", Kind: Pending},
		{Name: "dead_letters", Kind: Pending},
		{Name: "tenant_move_rows", Kind: Staging},
		{Name: "sign_in_codes", Kind: Left},
		{Name: "tenant_moves", Kind: Bookkeeping},
	}
}

// named returns the table with a name of Tables.
func named(name string) Table {
	for _, t := range Tables() {
		if t.Name == name {
			return t
		}
	}
	panic("tenantdata: no table " + name)
}
