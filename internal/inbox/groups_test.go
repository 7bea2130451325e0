package inbox

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// TestBursts checks where bursts begin and end. A notification is its resource, its actor and the
// minute of its activity.
func TestBursts(t *testing.T) {
	t.Parallel()
	type n struct {
		resource, actor byte
		minute          int
	}
	for name, tt := range map[string]struct {
		list []n // newest first
		want []string
	}{
		"one":                    {[]n{{1, 1, 9}}, []string{"1 of 1 from 9 to 9"}},
		"a pause of ten minutes": {[]n{{1, 1, 20}, {1, 1, 10}, {1, 1, 0}}, []string{"3 of 1 from 0 to 20"}},
		"a pause of eleven minutes": {
			[]n{{1, 1, 21}, {1, 1, 10}},
			[]string{"1 of 1 from 21 to 21", "1 of 1 from 10 to 10"},
		},
		"others in between": {
			[]n{{1, 1, 9}, {2, 1, 8}, {1, 2, 7}, {1, 1, 6}},
			[]string{"2 of 1 from 6 to 9", "1 of 2 from 8 to 8", "1 of 1 from 7 to 7"},
		},
		"a burst after a burst": {
			[]n{{1, 1, 40}, {1, 1, 39}, {1, 1, 9}, {1, 1, 1}},
			[]string{"2 of 1 from 39 to 40", "2 of 1 from 1 to 9"},
		},
		"recorded in another order": {[]n{{1, 1, 8}, {1, 1, 9}, {1, 1, 1}}, []string{"3 of 1 from 1 to 9"}},
		"longer than a pause in all": {
			[]n{{1, 1, 27}, {1, 1, 18}, {1, 1, 9}, {1, 1, 0}},
			[]string{"4 of 1 from 0 to 27"},
		},
	} {
		epoch := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
		var list []Notification
		for i, each := range tt.list {
			list = append(list, Notification{ID: uuid.UUID{255 - byte(i)}, Activity: activity.Activity{
				ResourceID: uuid.UUID{each.resource}, ActorPrincipalID: uuid.UUID{each.actor},
				RecordedAt: epoch.Add(time.Duration(each.minute) * time.Minute),
			}})
		}
		var got []string
		for _, g := range group(ByBurst, list) {
			got = append(got, fmt.Sprintf("%d of %d from %.0f to %.0f",
				g.Total, g.ResourceID[0], g.Oldest.Sub(epoch).Minutes(), g.Newest.Sub(epoch).Minutes()))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

// TestGroupsInWindows checks that the notifications beyond a window form groups of their own, that
// each is in one group, and that notifications which arrive meanwhile do not move the windows.
func TestGroupsInWindows(t *testing.T) {
	t.Parallel()
	b := newBox(t, pgtest.New(t))
	b.add(t, 7, b.second, false)
	b.add(t, GroupWindow+10, b.visible, false)
	b.add(t, 5, b.second, true)
	var got []string
	q := GroupQuery{By: ByResource, Limit: 1}
	for {
		page, err := Groups(t.Context(), b.db.Pool, b.principal, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range page.Groups {
			got = append(got, fmt.Sprintf("%d, %d unread", g.Total, g.Unread))
		}
		if q.After = page.Next; q.After == (Position{}) {
			break
		}
		b.add(t, 2, b.second, false)
	}
	want := []string{"5, 0 unread", fmt.Sprintf("%d, %[1]d unread", GroupWindow-5), "15, 15 unread", "7, 7 unread"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestInvisibleNotificationsDiscloseNothing compares what a filter that invisible activities pass
// returns with what one returns that none passes: the pages, where they end, and the numbers.
func TestInvisibleNotificationsDiscloseNothing(t *testing.T) {
	t.Parallel()
	b := newBox(t, pgtest.New(t))
	b.add(t, 2, b.visible, false)
	b.add(t, ReadBudget+GroupWindow, b.hidden, false)
	b.add(t, 2, b.visible, false)
	b.exec(t, `ALTER TABLE fanfare.activities DISABLE TRIGGER append_only`)
	b.exec(t, `UPDATE fanfare.activities SET message = 'codename nightingale' WHERE resource_id = $1`, b.hidden)
	disclosed := func(q string) []string {
		s := Selection{Filter: activity.Filter{Q: q}}
		var all []string
		list := Query{Selection: s, Limit: 1}
		for more := true; more; {
			page, err := List(t.Context(), b.db.Pool, b.principal, list)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, fmt.Sprint("list ", len(page.Items), page.Next))
			list.After, more = page.Next, page.Next != uuid.Nil
		}
		groups := GroupQuery{Selection: s, By: ByResource, Limit: 1}
		for more := true; more; {
			page, err := Groups(t.Context(), b.db.Pool, b.principal, groups)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, fmt.Sprint("groups ", len(page.Groups), page.Next))
			groups.After, more = page.Next, page.Next != Position{}
		}
		m := Marking{Selection: s, Changes: Changes{Seen: new(true)}}
		marked, err := Mark(t.Context(), b.db.Pool, b.principal, m)
		return append(all, fmt.Sprint("mark ", marked, err))
	}
	right, wrong := disclosed("codename"), disclosed("absent")
	if !slices.Equal(right, wrong) || len(right) < 6 {
		t.Errorf("got %q\nwant as of a text that no activity has, %q", right, wrong)
	}
}
