package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/cellmoves"
	"github.com/fanfarehq/fanfare/internal/cells"
)

// maxNamedMoves is the maximum number of tenants that a finding names.
const maxNamedMoves = 10

// checkMoves compares the moves that the database of a cell records with the file.
func checkMoves(ctx context.Context, x *examination) finding {
	moves, err := cellmoves.Read(ctx, x.Pool)
	if err != nil {
		return databaseFailure(err, x.role)
	}
	return evaluateMoves(x.Cells, x.Cell, moves)
}

// evaluateMoves warns of the tenants that the file still has in a cell that they have left.
func evaluateMoves(file *cells.File, cell string, moves cells.Moves) finding {
	var left []string
	for _, tenant := range slices.SortedFunc(maps.Keys(moves), func(a, b uuid.UUID) int {
		return strings.Compare(a.String(), b.String())
	}) {
		if of, _ := file.Of(tenant); of != nil && of.Name == cell {
			left = append(left, fmt.Sprintf("tenant %s has moved to cell %s", tenant, moves[tenant]))
		}
	}
	if len(left) == 0 {
		return passed("the file has every tenant that has left cell %s in its new cell", cell)
	}
	more := ""
	if n := len(left) - maxNamedMoves; n > 0 {
		left, more = left[:maxNamedMoves], fmt.Sprintf(", and %d more", n)
	}
	return warning(strings.Join(left, ", ")+more,
		"list it in the tenants of that cell in the file of --cells, in every process; until then the daemons read "+
			"the move in this database")
}
