package taxonomy_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
)

const exampleFile = `
version: 1
actions:
  signal.created:
    description: A signal was created.
    category: research
    keep: [signal_type, score]
    payload:
      type: object
      required: [signal_type]
      properties:
        signal_type: {type: string}
        score: {type: number, minimum: 0}
`

// An outbox.Recorder with this hook in Hooks.Before refuses envelopes that violate the taxonomy.
func ExampleTaxonomy_Check() {
	actions, err := taxonomy.Parse(strings.NewReader(exampleFile))
	if err != nil {
		panic(err)
	}
	check := actions.Check(taxonomy.Strict)
	e := activity.Envelope{
		TenantID: uuid.New(), ActorPrincipalID: uuid.New(), ResourceID: uuid.New(), ResourceType: "signal",
		Action: "signal.created", Payload: map[string]any{"signal_type": "momentum", "score": "high"},
	}
	fmt.Println(check(context.Background(), &e))

	e.Payload = map[string]any{"signal_type": "momentum", "score": 0.7, "draft": true}
	fmt.Println(check(context.Background(), &e))
	fmt.Printf("%s %s %s\n", e.Category, e.Severity, e.Payload)
	// Output:
	// envelope refused: payload.score "string" must be a number
	// <nil>
	// research info {"score":0.7,"signal_type":"momentum"}
}

func ExampleDiff() {
	before, err := taxonomy.Parse(strings.NewReader(exampleFile))
	if err != nil {
		panic(err)
	}
	after, err := taxonomy.Parse(strings.NewReader(strings.Replace(exampleFile, "minimum: 0", "minimum: -1", 1) +
		"  signal.deleted: {description: A signal was deleted., category: research, severity: warning}\n"))
	if err != nil {
		panic(err)
	}
	fmt.Print(taxonomy.Diff(before, after))
	// Output:
	// ~ signal.created
	//     payload.properties.score.minimum: 0 → -1
	// + signal.deleted   A signal was deleted.
}
