package preferences_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fanfarehq/fanfare/preferences"
)

func TestEffective(t *testing.T) {
	t.Parallel()
	const own, tenant, installation = preferences.FromPrincipal, preferences.FromTenant, preferences.FromInstallation
	yes, no := true, false
	unset := preferences.Sources{
		Mode: installation, CustomActions: installation, Muted: installation, MutedActions: installation,
	}
	for _, tt := range []struct {
		name        string
		own, tenant preferences.Fields
		want        preferences.Preference
		from        preferences.Sources
	}{
		{
			name: "nothing is set",
			want: preferences.Preference{Mode: "mutations"},
			from: unset,
		},
		{
			name: "all fields of the principal",
			own: preferences.Fields{
				Mode: "custom", CustomActions: []string{"a.*"}, Muted: &no, MutedActions: []string{"c.*"},
			},
			tenant: preferences.Fields{
				Mode: "all", CustomActions: []string{"b.*"}, Muted: &yes, MutedActions: []string{"d.*"},
			},
			want: preferences.Preference{
				Mode: "custom", CustomActions: []string{"a.*"}, MutedActions: []string{"c.*"},
			},
			from: preferences.Sources{},
		},
		{
			name: "all fields of the tenant",
			tenant: preferences.Fields{
				Mode: "custom", CustomActions: []string{"b.*"}, Muted: &yes, MutedActions: []string{"d.*"},
			},
			want: preferences.Preference{
				Mode: "custom", CustomActions: []string{"b.*"}, Muted: true, MutedActions: []string{"d.*"},
			},
			from: preferences.Sources{Mode: tenant, CustomActions: tenant, Muted: tenant, MutedActions: tenant},
		},
		{
			name:   "each field from another",
			own:    preferences.Fields{Muted: &yes},
			tenant: preferences.Fields{Mode: "all"},
			want:   preferences.Preference{Mode: "all", Muted: true},
			from: preferences.Sources{
				Mode: tenant, CustomActions: installation, Muted: own, MutedActions: installation,
			},
		},
		{
			name:   "patterns of the tenant for the principal's mode",
			own:    preferences.Fields{Mode: "custom"},
			tenant: preferences.Fields{Mode: "all", CustomActions: []string{"b.*"}},
			want:   preferences.Preference{Mode: "custom", CustomActions: []string{"b.*"}},
			from: preferences.Sources{
				Mode: own, CustomActions: tenant, Muted: installation, MutedActions: installation,
			},
		},
		{
			name:   "no patterns are a choice",
			own:    preferences.Fields{CustomActions: []string{}, MutedActions: []string{}},
			tenant: preferences.Fields{CustomActions: []string{"b.*"}, MutedActions: []string{"d.*"}},
			want: preferences.Preference{
				Mode: "mutations", CustomActions: []string{}, MutedActions: []string{},
			},
			from: preferences.Sources{
				Mode: installation, CustomActions: own, Muted: installation, MutedActions: own,
			},
		},
		{
			name:   "an unknown mode of the principal is mutations, not the tenant's",
			own:    preferences.Fields{Mode: "digest"},
			tenant: preferences.Fields{Mode: "all"},
			want:   preferences.Preference{Mode: "mutations"},
			from: preferences.Sources{
				Mode: own, CustomActions: installation, Muted: installation, MutedActions: installation,
			},
		},
		{
			name:   "an unknown mode of the tenant",
			tenant: preferences.Fields{Mode: "digest"},
			want:   preferences.Preference{Mode: "mutations"},
			from: preferences.Sources{
				Mode: tenant, CustomActions: installation, Muted: installation, MutedActions: installation,
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, from := preferences.Effective(tt.own, tt.tenant)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("preference (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.from, from); diff != "" {
				t.Errorf("sources (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSourceString(t *testing.T) {
	t.Parallel()
	for source, want := range map[preferences.Source]string{
		preferences.FromPrincipal: "principal", preferences.FromTenant: "tenant",
		preferences.FromInstallation: "installation", 9: "installation",
	} {
		if got := source.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
