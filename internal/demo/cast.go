package demo

import "strings"

// cast introduces the tenants and their people.
type cast []tenant

func (c cast) text(p paint) string {
	var b strings.Builder
	b.WriteString("\n")
	template := "Both tenants have the same resources: " + branch(c[0].tree, "") + "."
	for _, line := range wrap(template, width-indent) {
		b.WriteString(blank(indent) + p.dim(line) + "\n")
	}
	row := func(name, position, watches, wants string) string {
		cells := pad(name, 16) + pad(position, 34) + pad(watches, 20) + wants
		return strings.TrimRight(blank(indent)+cells, " ") + "\n"
	}
	for _, t := range c {
		b.WriteString("\n" + p.bold(row(t.name, "position", "watches", "preference")))
		for _, who := range t.people {
			b.WriteString(row(first(who.name), position(t, who), watched(who), preference(who)))
		}
	}
	return b.String()
}

// branch returns the resources below a resource: "folder Equities (signal Momentum 12, dataset US
// Prices)".
func branch(tree []node, parent string) string {
	var names []string
	for _, n := range tree {
		if n.parent != parent {
			continue
		}
		name := n.kind + " " + n.name
		if below := branch(tree, n.name); below != "" {
			name += " (" + below + ")"
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// position describes a person's kind, state and roles.
func position(t tenant, who person) string {
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
	for _, group := range who.groups {
		parts = append(parts, "member of "+group)
	}
	for _, r := range who.roles {
		part := r.name + " of " + r.on
		if r.revoked {
			part += " (revoked)"
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
		switch {
		case s.revoked:
			parts = append(parts, s.on+" (revoked)")
		case s.scope == "descendants":
			parts = append(parts, s.on+" and below")
		default:
			parts = append(parts, s.on)
		}
	}
	return strings.Join(parts, ", ")
}

func preference(who person) string {
	switch {
	case who.wants == nil && (who.screen || who.offline):
		return ""
	case who.wants == nil:
		return "mutations (default)"
	case who.wants.Muted:
		return selection(*who.wants) + ", muted"
	default:
		return selection(*who.wants)
	}
}
