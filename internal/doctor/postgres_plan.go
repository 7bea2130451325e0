package doctor

import (
	"encoding/json"
	"fmt"
	"strings"
)

// scan is a step of a plan that reads a table and keeps the rows that a filter lets through.
type scan struct{ schema, table, filter string }

// index is what an index holds: columns, or expressions, in their order, of the rows for which a
// predicate holds, or of all if it is empty.
type index struct {
	columns   []string
	predicate string
}

// servedBy tells whether an index leads straight to a value that the filter asks for: one of its
// columns is compared with the value, all columns before that one are compared too, and it holds
// every row that passes the filter.
func (s scan) servedBy(i index, value string) bool {
	if !strings.Contains(s.filter, i.predicate) {
		return false
	}
	for _, column := range i.columns {
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

// readPlan returns the scans of a plan without indexes, as EXPLAIN (VERBOSE, FORMAT JSON) gives it.
func readPlan(plan []byte) ([]scan, error) {
	var plans []struct{ Plan planNode }
	if err := json.Unmarshal(plan, &plans); err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	var scans []scan
	for _, p := range plans {
		scans = p.Plan.scans(scans)
	}
	return scans, nil
}

// planNode is a step of a plan.
type planNode struct {
	Type   string     `json:"Node Type"`
	Schema string     `json:"Schema"`
	Table  string     `json:"Relation Name"`
	Alias  string     `json:"Alias"`
	Filter string     `json:"Filter"`
	Below  []planNode `json:"Plans"`
}

// scans adds those of the step and of all below it. In their filters columns stand without the
// table's name.
func (n planNode) scans(found []scan) []scan {
	if n.Type == "Seq Scan" {
		found = append(found, scan{n.Schema, n.Table, strings.ReplaceAll(n.Filter, n.Alias+".", "")})
	}
	for _, below := range n.Below {
		found = below.scans(found)
	}
	return found
}
