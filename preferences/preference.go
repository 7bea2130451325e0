package preferences

import "github.com/jackc/pgx/v5/pgtype/zeronull"

// Mode selects the actions that a principal is notified of.
type Mode string

// The modes. Every other value, the empty one included, is ModeMutations.
const (
	ModeAll       Mode = "all"       // all actions
	ModeMutations Mode = "mutations" // the actions that change something; see NewFilter and Filter.SetNotify
	ModeCustom    Mode = "custom"    // the actions that a pattern of the principal matches
)

// Preference is what holds for one principal; see Effective. The zero value is the installation's:
// ModeMutations, not muted.
type Preference struct {
	Mode          Mode
	CustomActions []string // patterns of ModeCustom; see Compile
	Muted         bool     // no notifications, whatever the mode
	MutedActions  []string // patterns of the actions that do not notify, whatever the mode
}

// Fields are the fields of a preference that a principal or a tenant has set. The zero value has
// none.
type Fields struct {
	Mode          Mode     // "" if it is not set
	CustomActions []string // nil if they are not set
	Muted         *bool    // nil if it is not set
	MutedActions  []string // nil if they are not set
}

// targets returns what the columns filter_mode, custom_actions, muted and muted_actions are scanned
// into.
func (f *Fields) targets() []any {
	return []any{(*zeronull.Text)(&f.Mode), &f.CustomActions, &f.Muted, &f.MutedActions}
}

// Source is where a field of a preference is from.
type Source uint8

// The sources, nearest first.
const (
	FromPrincipal Source = iota
	FromTenant
	FromInstallation
)

// String returns principal, tenant or installation.
func (s Source) String() string {
	return [...]string{"principal", "tenant", "installation"}[min(s, FromInstallation)]
}

// Sources are where the fields of a Preference are from.
type Sources struct {
	Mode, CustomActions, Muted, MutedActions Source
}

// Effective returns the preference that holds for a principal, from its own fields and those of its
// tenant: each field is its own, else the tenant's, else the installation's. An unknown mode counts
// as ModeMutations, and as set.
func Effective(own, tenant Fields) (Preference, Sources) {
	p := Preference{Mode: ModeMutations}
	from := Sources{FromInstallation, FromInstallation, FromInstallation, FromInstallation}
	switch {
	case own.Mode != "":
		p.Mode, from.Mode = known(own.Mode), FromPrincipal
	case tenant.Mode != "":
		p.Mode, from.Mode = known(tenant.Mode), FromTenant
	}
	p.CustomActions, from.CustomActions = nearestSet(own.CustomActions, tenant.CustomActions)
	p.MutedActions, from.MutedActions = nearestSet(own.MutedActions, tenant.MutedActions)
	switch {
	case own.Muted != nil:
		p.Muted, from.Muted = *own.Muted, FromPrincipal
	case tenant.Muted != nil:
		p.Muted, from.Muted = *tenant.Muted, FromTenant
	}
	return p, from
}

// withLists replaces lists that are not set by empty ones.
func (p *Preference) withLists() {
	for _, list := range []*[]string{&p.CustomActions, &p.MutedActions} {
		if *list == nil {
			*list = []string{}
		}
	}
}

// nearestSet returns the patterns that are set nearest to a principal, and their source.
func nearestSet(own, tenant []string) ([]string, Source) {
	switch {
	case own != nil:
		return own, FromPrincipal
	case tenant != nil:
		return tenant, FromTenant
	default:
		return nil, FromInstallation
	}
}

// known returns a stored mode, or ModeMutations if this version does not know it.
func known(m Mode) Mode {
	if m == ModeAll || m == ModeCustom {
		return m
	}
	return ModeMutations
}
