package doctor

// checks returns all checks, in the order in which a person would make them.
func checks() []check {
	database, schema := []string{"postgres-reachable"}, []string{"postgres-schema"}
	api, token := []string{"centrifugo-api"}, []string{"centrifugo-token"}
	return []check{
		{"postgres-reachable", nil, reachable},
		{"postgres-version", database, serverVersion},
		{"postgres-writable", database, writable},
		{"postgres-schema", database, schemaVersion},
		{"postgres-rights", schema, rights},
		{"postgres-public", schema, public},
		{"postgres-writer", schema, writer},
		{"postgres-partitions", schema, partitions},
		{"postgres-directory", schema, directory},
		{"postgres-indexes", []string{"postgres-directory"}, indexes},
		{"postgres-clock", database, databaseClock},
		{"postgres-backlog", schema, backlog},
		{"postgres-snapshots", database, snapshots},
		{"postgres-connections", database, connections},

		{"centrifugo-api", nil, apiReachable},
		{"centrifugo-version", api, centrifugoVersion},
		{"centrifugo-clock", api, centrifugoClock},
		{"centrifugo-namespaces", api, namespaces},
		{"centrifugo-socket", api, opens},
		{"centrifugo-origins", []string{"centrifugo-socket"}, origins},
		{"centrifugo-token", []string{"centrifugo-namespaces", "centrifugo-socket"}, goodToken},
		{"centrifugo-bad-tokens", token, badTokens},
		{"centrifugo-own-channel", token, ownChannel},
		{"centrifugo-subscribing", token, subscribing},
		{"centrifugo-publishing", token, publishing},
		{"centrifugo-delivery", []string{"centrifugo-own-channel"}, delivery},
		{"centrifugo-recovery", []string{"centrifugo-delivery"}, recovery},
	}
}
