package demo

import (
	"fmt"
	"strings"
)

// Command is something to do in a shell.
type Command struct {
	What string `json:"what"`
	Line string `json:"line"` // may go on after a backslash at its end
}

// commands are what Farid may ask of the API. They use the variables of setup.
func commands() []Command {
	const change = `curl -H "$AUTH" -H Content-Type:application/json`
	return []Command{
		{"His inbox", `curl -H "$AUTH" "$API/notifications?limit=3"`},
		{"How much of it is unread", `curl -H "$AUTH" "$API/notifications/unread-count"`},
		{
			"Mark all of it as read; below, his open client learns of it",
			`curl -H "$AUTH" -X POST "$API/notifications/mark-all-read"`,
		},
		{
			"Subscribe to Equities and all that is in it: below, he hears of Reversal from then on",
			change + ` "$API/subscriptions" \` + "\n" +
				fmt.Sprintf(`  -d '{"resource_id":"%s","scope":"descendants"}'`, resourceID(equities)),
		},
		{
			"Change his preferences: from the next activity on he hears of runs and nothing else",
			change + ` -X PUT "$API/notifications/preferences" \` + "\n" +
				`  -d '{"filter_mode":"custom","custom_actions":["run.*"]}'`,
		},
		{"What he may see of what happened", `curl -H "$AUTH" "$API/activities?limit=3&action=run.*"`},
		{"The tenant's activities as they happen (activity:read)", `curl -N -H "$AUTH" "$API/activities/stream"`},
		{"The tenant's whole log (activity:read)", `curl -H "$AUTH" "$API/audit?limit=3"`},
		{"What a Centrifugo client connects with", `curl -H "$AUTH" "$API/realtime/bootstrap"`},
	}
}

// setup is what a shell needs before the commands.
func setup(apiURL, token string) string {
	return "API=" + apiURL + "/v1\nAUTH='Authorization: Bearer " + token + "'"
}

func renderCommands(c Connection, p paint) string {
	var b strings.Builder
	b.WriteString(blank(indent) + p.dim("The API from a shell, as "+c.Who+", with activity:read. First, once:") + "\n")
	b.WriteString(c.Setup + "\n")
	for _, command := range c.Commands {
		b.WriteString("\n" + blank(indent) + p.dim(command.What) + "\n" + command.Line + "\n")
	}
	return b.String()
}
