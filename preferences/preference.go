package preferences

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
}

// Fields are the fields of a preference that a principal or a tenant has set. The zero value has
// none.
type Fields struct {
	Mode          Mode     // "" if it is not set
	CustomActions []string // nil if they are not set
	Muted         *bool    // nil if it is not set
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
	Mode, CustomActions, Muted Source
}

// Effective returns the preference that holds for a principal, from its own fields and those of its
// tenant: each field is its own, else the tenant's, else the installation's. An unknown mode counts
// as ModeMutations, and as set.
func Effective(own, tenant Fields) (Preference, Sources) {
	p := Preference{Mode: ModeMutations}
	from := Sources{FromInstallation, FromInstallation, FromInstallation}
	switch {
	case own.Mode != "":
		p.Mode, from.Mode = known(own.Mode), FromPrincipal
	case tenant.Mode != "":
		p.Mode, from.Mode = known(tenant.Mode), FromTenant
	}
	switch {
	case own.CustomActions != nil:
		p.CustomActions, from.CustomActions = own.CustomActions, FromPrincipal
	case tenant.CustomActions != nil:
		p.CustomActions, from.CustomActions = tenant.CustomActions, FromTenant
	}
	switch {
	case own.Muted != nil:
		p.Muted, from.Muted = *own.Muted, FromPrincipal
	case tenant.Muted != nil:
		p.Muted, from.Muted = *tenant.Muted, FromTenant
	}
	return p, from
}

// known returns a stored mode, or ModeMutations if this version does not know it.
func known(m Mode) Mode {
	if m == ModeAll || m == ModeCustom {
		return m
	}
	return ModeMutations
}
