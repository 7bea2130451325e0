package doctor

import (
	"encoding/json"
	"fmt"
	"strings"
)

// scan is a node of a plan that scans a table with a filter.
type scan struct{ schema, table, filter string }

// index describes an index: its columns or expressions in their order, and the predicate of a
// partial index. PostgreSQL encloses an expression other than a function call in parentheses.
type index struct {
	columns   []string
	predicate string
}

// servedBy reports whether an index serves the search for a value of the filter: the filter
// compares one of its columns with the value and compares all columns before it, and implies the
// predicate.
func (s scan) servedBy(i index, value string) bool {
	if !strings.Contains(s.filter, i.predicate) {
		return false
	}
	for _, column := range i.columns {
		if inner, ok := strings.CutPrefix(column, "("); ok {
			column = strings.TrimSuffix(inner, ")")
		}
		_, compared, found := strings.Cut(s.filter, "("+column+" = '")
		if !found {
			return false
		}
		if strings.HasPrefix(compared, value+"'") {
			return true
		}
	}
	return false
}

// readPlan returns the sequential scans of a plan of EXPLAIN (VERBOSE, FORMAT JSON).
func readPlan(plan []byte) ([]scan, error) {
	roots, err := parsePlan(plan)
	var scans []scan
	for _, root := range roots {
		scans = root.scans(scans)
	}
	return scans, err
}

// parsePlan returns the roots of a plan of EXPLAIN (VERBOSE, FORMAT JSON).
func parsePlan(plan []byte) (roots []planNode, err error) {
	var plans []struct{ Plan planNode }
	if err := json.Unmarshal(plan, &plans); err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	for _, p := range plans {
		roots = append(roots, p.Plan)
	}
	return roots, nil
}

// planNode is a node of a plan.
type planNode struct {
	Type      string     `json:"Node Type"`
	Schema    string     `json:"Schema"`
	Table     string     `json:"Relation Name"`
	Alias     string     `json:"Alias"`
	Filter    string     `json:"Filter"`
	Index     string     `json:"Index Name"`
	IndexCond string     `json:"Index Cond"`
	Plans     []planNode `json:"Plans"`
}

// scans appends the sequential scans of the node and of its descendants. It removes the table's
// alias from their filters.
func (n planNode) scans(found []scan) []scan {
	if n.Type == "Seq Scan" {
		found = append(found, scan{n.Schema, n.Table, strings.ReplaceAll(n.Filter, n.Alias+".", "")})
	}
	for _, child := range n.Plans {
		found = child.scans(found)
	}
	return found
}
