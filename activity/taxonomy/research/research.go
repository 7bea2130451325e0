// Package research is the taxonomy of an example application, a platform for quantitative research:
// signals, datasets, pipelines, experiments, runs, portfolios, promotion, guardrails, monitoring,
// conversations, workflows, vector indexes, containers and devices. The package actions under it
// has the Go types, as fanfare taxonomy generate writes them for an application's own file.
package research

import _ "embed"

// File is the file of the taxonomy. An application with accounts and billing adds those families of
// taxonomy.DefaultFile.
//
//go:embed taxonomy.yaml
var File string
