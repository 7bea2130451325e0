package demo

import (
	"fmt"
	"time"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/watchers"
)

// Live is one message that arrived while the demo is kept running.
type Live struct {
	At           time.Time `json:"at"`
	Who          string    `json:"who"`
	Tenant       string    `json:"tenant"`
	Channel      string    `json:"channel"`
	Action       string    `json:"action"` // "inbox.unread_count" when it is no activity
	Summary      string    `json:"summary"`
	Milliseconds float64   `json:"milliseconds"` // from the recording to the socket; 0 when there is none
}

func liveOf(heard sound, tenants []tenant) Live {
	l := Live{
		At: heard.at, Channel: heard.channel, Action: heard.event.Action, Summary: heard.event.UIHints.Summary,
		Milliseconds: milliseconds(max(0, heard.at.Sub(heard.event.CreatedAt))),
	}
	if heard.unread != nil {
		l.Action, l.Summary, l.Milliseconds = "inbox.unread_count", fmt.Sprintf("%d unread", *heard.unread), 0
	}
	for _, t := range tenants {
		for _, p := range t.people {
			if heard.ear == (watchers.Principal{TenantID: t.id, PrincipalID: p.id()}) {
				l.Who, l.Tenant = p.name, t.name
			}
		}
	}
	return l
}

func renderLive(l Live, p paint) string {
	who := first(l.Who)
	if l.Tenant != aurora {
		who += " of " + first(l.Tenant)
	}
	if l.Channel != activity.ToUser {
		who += ", " + l.Channel
	}
	when := ""
	if l.Milliseconds > 0 {
		when = fmt.Sprintf(" %9s", ms(l.Milliseconds))
	}
	return fmt.Sprintf("%s%s  %s %s %s%s\n", blank(indent), p.dim(l.At.Format("15:04:05.000")), p.green("●"),
		pad(who, 18), pad(cut(l.Summary, 50), 50), when)
}
