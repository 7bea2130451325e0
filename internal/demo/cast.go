package demo

import "strings"

// renderCast introduces the tenants: what they have, and who they are.
func renderCast(tenants []tenant, p paint) string {
	var b strings.Builder
	b.WriteString("\n")
	for _, line := range wrap("Each tenant has grown from one template: "+branch(tenants[0].tree, "")+".", width-indent) {
		b.WriteString(blank(indent) + p.dim(line) + "\n")
	}
	row := func(name, is, watches, wants string) string {
		return strings.TrimRight(blank(indent)+pad(name, 16)+pad(is, 34)+pad(watches, 20)+wants, " ") + "\n"
	}
	for _, t := range tenants {
		b.WriteString("\n" + p.bold(row(t.name, "is", "watches", "wants")))
		for _, who := range t.people {
			b.WriteString(row(first(who.name), standing(t, who), watched(who), wish(who)))
		}
	}
	return b.String()
}

// branch writes what lies under a resource: "folder Equities (signal Momentum 12, dataset US
// Prices)".
func branch(tree []node, parent string) string {
	var names []string
	for _, n := range tree {
		if n.parent != parent {
			continue
		}
		name := n.kind + " " + n.name
		if under := branch(tree, n.name); under != "" {
			name += " (" + under + ")"
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// standing says what somebody is and may see.
func standing(t tenant, who person) string {
	var parts []string
	if who.kind != "user" {
		parts = append(parts, who.kind)
	}
	if who.inactive {
		parts = append(parts, "inactive")
	}
	for _, n := range t.tree {
		if n.owner == who.name && n.kind == "signal" {
			parts = append(parts, "owns signals")
			break
		}
	}
	for _, r := range who.roles {
		part := r.name + " of " + r.on
		if r.revoked {
			part = "no longer " + part
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

func watched(who person) string {
	if who.screen {
		return "shared channels"
	}
	var parts []string
	for _, s := range who.watches {
		part := s.on
		if s.scope == "descendants" {
			part += " and below"
		}
		if s.revoked {
			part = "no longer " + s.on
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

func wish(who person) string {
	switch {
	case who.wants == nil && (who.screen || who.deaf):
		return ""
	case who.wants == nil:
		return "mutations, by default"
	case who.wants.Muted:
		return wanted(*who.wants) + ", but muted"
	default:
		return wanted(*who.wants)
	}
}
