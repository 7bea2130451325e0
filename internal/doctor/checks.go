package doctor

import "slices"

// checks returns the checks of an installation: with cells also those of the cell.
func (x *examination) checks() []check {
	all := checks()
	if x.Cells == nil {
		return all
	}
	after := slices.IndexFunc(all, func(c check) bool { return c.id == "postgres-standbys" })
	return slices.Insert(all, after+1, check{"cells-moves", []string{"postgres-schema"}, checkMoves})
}

// checks returns all checks in the order in which they run. Their ids are stable.
func checks() []check {
	database, schema := []string{"postgres-pooler"}, []string{"postgres-schema"}
	api, token := []string{"centrifugo-api"}, []string{"centrifugo-token"}
	return []check{
		{"postgres-reachable", nil, checkReachable},
		{"postgres-pooler", []string{"postgres-reachable"}, checkPooler},
		{"postgres-version", database, checkServerVersion},
		{"postgres-writable", database, checkWritable},
		{"postgres-schema", database, checkSchemaVersion},
		{"postgres-rights", schema, checkPrivileges},
		{"postgres-public", schema, checkPublic},
		{"postgres-owners", schema, checkOwners},
		{"postgres-roles", schema, checkShared},
		{"postgres-superuser", schema, checkSuperuser},
		{"postgres-partitions", schema, checkPartitions},
		{"postgres-directory", schema, checkDirectory},
		{"postgres-directory-rows", []string{"postgres-directory"}, checkDirectoryRows},
		{"postgres-indexes", []string{"postgres-directory"}, checkIndexes},
		{"postgres-plans", []string{"postgres-indexes"}, checkPlans},
		{"postgres-clock", database, checkDatabaseClock},
		{"postgres-backlog", schema, checkBacklog},
		{"postgres-lanes", schema, checkLanes},
		{"postgres-snapshots", database, checkSnapshots},
		{"postgres-connections", database, checkConnections},
		{"postgres-standbys", database, checkStandbys},

		{"centrifugo-api", nil, checkAPI},
		{"centrifugo-version", api, checkCentrifugoVersion},
		{"centrifugo-grpc", api, checkGRPC},
		{"centrifugo-clock", api, checkCentrifugoClock},
		{"centrifugo-namespaces", api, checkNamespaces},
		{"centrifugo-socket", api, checkSocket},
		{"centrifugo-origins", []string{"centrifugo-socket"}, checkOrigins},
		{"centrifugo-token", []string{"centrifugo-namespaces", "centrifugo-socket"}, checkToken},
		{"centrifugo-bad-tokens", token, checkBadTokens},
		{"centrifugo-own-channel", token, checkOwnChannel},
		{"centrifugo-subscribing", token, checkSubscribing},
		{"centrifugo-expiry", token, checkExpiry},
		{"centrifugo-publishing", token, checkPublishing},
		{"centrifugo-delivery", []string{"centrifugo-own-channel"}, checkDelivery},
		{"centrifugo-recovery", []string{"centrifugo-delivery"}, checkRecovery},
	}
}
