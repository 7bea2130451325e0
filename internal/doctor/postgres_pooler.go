package doctor

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/database"
)

// checkPooler finds out whether a pooler gives transactions of one connection to several sessions,
// and whether it keeps track of prepared statements.
func checkPooler(ctx context.Context, x *examination) finding {
	config := x.Pool.Config().ConnConfig
	pooling, err := database.DetectPooling(ctx, config)
	if err != nil {
		return databaseFailure(err, x.role)
	}
	return evaluatePooler(pooling, config.DefaultQueryExecMode)
}

func evaluatePooler(pooling database.Pooling, mode pgx.QueryExecMode) finding {
	const remedy = "add default_query_exec_mode=exec to --database-url, or use PgBouncer 1.21 or newer with " +
		"max_prepared_statements"
	const migrating = "fanfare migrate up, repair and down need a connection to PostgreSQL itself"
	prepares := mode != pgx.QueryExecModeExec && mode != pgx.QueryExecModeSimpleProtocol
	switch {
	case !pooling.Transactions:
		return passed("each connection has a session of its own")
	case !prepares:
		return passed("a pooler in transaction mode, and no statement is prepared; %s", migrating)
	case !pooling.Statements:
		return failure("a pooler in transaction mode mixes up the prepared statements of its clients", remedy)
	case mode == pgx.QueryExecModeDescribeExec || mode == pgx.QueryExecModeCacheDescribe:
		return failure("a pooler in transaction mode separates the description of a statement from its execution",
			remedy)
	}
	return passed("a pooler in transaction mode that keeps track of prepared statements; %s", migrating)
}
