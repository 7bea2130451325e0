package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/acceptance/apiclient"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/preferences"
)

// tokenLifetime is longer than a demo that runs for a working day.
const tokenLifetime = 24 * time.Hour

// requests sends a scene's requests to the API and records them. It is not safe for concurrent use.
type requests struct {
	api        *apiclient.Client
	issuer     apiclient.Issuer
	sent       []*exchange
	mismatches []string
}

// exchange is a request with its response.
type exchange struct {
	Request
	sentAt   time.Time
	response []byte
}

// caller is a person who sends requests, with scopes besides their own permissions.
type caller struct {
	requests     *requests
	tenant, name string
	scopes       []string
}

func (r *requests) as(tenant, name string, scopes ...string) caller {
	return caller{r, tenant, name, scopes}
}

func (c caller) get(ctx context.Context, path string, want int) (*exchange, error) {
	return c.send(ctx, http.MethodGet, path, nil, want)
}

// send sends a request. A response with another status than want is a mismatch, not an error.
func (c caller) send(ctx context.Context, method, path string, body any, want int) (*exchange, error) {
	token, err := c.requests.issuer.Token(principalOf(c.tenant, c.name), tokenLifetime, c.scopes...)
	if err != nil {
		return nil, err
	}
	x := &exchange{Request: Request{Who: c.name, Tenant: c.tenant, Method: method, Path: path}, sentAt: time.Now()}
	if x.Body, err = apiclient.Encode(body); err != nil {
		return nil, err
	}
	if x.Status, x.response, err = c.requests.api.Do(ctx, token, method, path, x.Body); err != nil {
		return nil, err
	}
	x.Milliseconds = milliseconds(time.Since(x.sentAt))
	c.requests.sent = append(c.requests.sent, x)
	if x.Status != want {
		c.requests.mismatch("%s %s: got status %d, want %d: %s", method, path, x.Status, want, x.response)
	}
	return x, nil
}

// note summarizes the response.
func (x *exchange) note(format string, args ...any) { x.Note = fmt.Sprintf(format, args...) }

// decode unmarshals the response.
func (x *exchange) decode(into any) error {
	if err := json.Unmarshal(x.response, into); err != nil {
		return fmt.Errorf("%s %s: %w in %s", x.Method, x.Path, err, x.response)
	}
	return nil
}

func (r *requests) mismatch(format string, args ...any) {
	r.mismatches = append(r.mismatches, fmt.Sprintf(format, args...))
}

// take returns the requests and mismatches since the previous call.
func (r *requests) take() (sent []Request, mismatches []string) {
	for _, x := range r.sent {
		sent = append(sent, x.Request)
	}
	mismatches = r.mismatches
	r.sent, r.mismatches = nil, nil
	return sent, mismatches
}

// setPatterns stores a person's custom preference.
func setPatterns(ctx context.Context, r *requests, tenant, name string, patterns ...string) error {
	type patternsOf struct {
		FilterMode    string   `json:"filter_mode"`
		CustomActions []string `json:"custom_actions"`
	}
	want := patternsOf{"custom", patterns}
	const path = "/v1/notifications/preferences"
	stored, err := r.as(tenant, name).send(ctx, http.MethodPut, path, want, http.StatusOK)
	if err != nil {
		return err
	}
	var got patternsOf
	if err := stored.decode(&got); err != nil {
		return err
	}
	if got.FilterMode != want.FilterMode || !slices.Equal(got.CustomActions, want.CustomActions) {
		r.mismatch("preferences: got %v, want %v", got, want)
	}
	return nil
}

// setLevel stores a person's level for a signal.
func setLevel(ctx context.Context, r *requests, tenant, name, signal string, level preferences.Level) error {
	want := map[string]string{"level": string(level)}
	path := "/v1/watch-levels/" + resourceID(signal).String()
	stored, err := r.as(tenant, name).send(ctx, http.MethodPut, path, want, http.StatusOK)
	if err != nil {
		return err
	}
	var got struct{ Level preferences.Level }
	if err := stored.decode(&got); err != nil {
		return err
	}
	if got.Level != level {
		r.mismatch("the level: got %q, want %q", got.Level, level)
	}
	return nil
}

// explainIgnored requests why the actor was not notified of the activity that Farid received last.
// The answer must name the level. A person of another tenant gets the response for an unknown id.
func explainIgnored(ctx context.Context, a actors, r recording) (outcome, error) {
	received := a.received(r.tenant, farid)
	if len(received) == 0 {
		return outcome{}, fmt.Errorf("%s has received nothing in earlier scenes", farid)
	}
	path := "/v1/activities/" + received[0].String() + "/explain"
	asked, err := a.requests.as(r.tenant, r.actor).get(ctx, path, http.StatusOK)
	if err != nil {
		return outcome{}, err
	}
	var answer struct {
		Now struct {
			Notified  bool
			DecidedBy string `json:"decided_by"`
			Why       string
		}
		Rules []struct {
			Rule  string
			Level *struct {
				Level      preferences.Level
				ResourceID uuid.UUID `json:"resource_id"`
			}
		}
	}
	if err := asked.decode(&answer); err != nil {
		return outcome{}, err
	}
	asked.note("%s: %s", answer.Now.DecidedBy, answer.Now.Why)
	named := false
	for _, rule := range answer.Rules {
		named = named || rule.Rule == "level" && rule.Level != nil && rule.Level.Level == preferences.LevelIgnore &&
			rule.Level.ResourceID == resourceID(carry)
	}
	if answer.Now.Notified || answer.Now.DecidedBy != "level" || !named {
		a.requests.mismatch("the explanation: got %+v, want the level ignore of %s", answer, carry)
	}
	denied, err := a.requests.as(borealis, noor).get(ctx, path, http.StatusNotFound)
	if err != nil {
		return outcome{}, err
	}
	denied.note("not found")
	return outcome{}, nil
}

// subscribe subscribes the actor to the signal and finds the activity that records it.
func subscribe(ctx context.Context, a actors, r recording) (outcome, error) {
	created, err := a.requests.as(r.tenant, r.actor).send(ctx, http.MethodPost, "/v1/subscriptions", struct {
		ResourceID uuid.UUID `json:"resource_id"`
		Scope      string    `json:"scope"`
	}{resourceID(r.signal), "resource"}, http.StatusCreated)
	if err != nil {
		return outcome{}, err
	}
	var subscription struct{ ID uuid.UUID }
	if err := created.decode(&subscription); err != nil {
		return outcome{}, err
	}
	found, err := a.requests.as(r.tenant, ada, identity.ScopeRead).
		get(ctx, "/v1/audit?correlation_id="+subscription.ID.String(), http.StatusOK)
	if err != nil {
		return outcome{}, err
	}
	var log struct {
		Items []struct {
			EventID uuid.UUID `json:"event_id"`
			Action  string    `json:"action"`
		} `json:"items"`
	}
	if err := found.decode(&log); err != nil {
		return outcome{}, err
	}
	if len(log.Items) != 1 || log.Items[0].Action != r.action {
		a.requests.mismatch("the log: got %v, want one %s", log.Items, r.action)
		return outcome{}, nil
	}
	found.note("%s", log.Items[0].Action)
	return outcome{activityID: log.Items[0].EventID, committedAt: created.sentAt}, nil
}

// listInbox lists the actor's inbox, which must contain what they received in earlier scenes, and
// marks all of it as read.
func listInbox(ctx context.Context, a actors, r recording) (outcome, error) {
	me, received := a.requests.as(r.tenant, r.actor), a.received(r.tenant, r.actor)
	listed, err := me.get(ctx, "/v1/notifications", http.StatusOK)
	if err != nil {
		return outcome{}, err
	}
	var inbox struct {
		Items []struct {
			ID uuid.UUID `json:"id"`
		} `json:"items"`
		UnreadCount int `json:"unread_count"`
	}
	if err := listed.decode(&inbox); err != nil {
		return outcome{}, err
	}
	listed.note("%d unread", inbox.UnreadCount)
	var contents []uuid.UUID
	for _, item := range inbox.Items {
		contents = append(contents, item.ID)
	}
	if !slices.Equal(contents, received) {
		a.requests.mismatch("the inbox: got %v, want %v", contents, received)
	}
	if inbox.UnreadCount != len(received) {
		a.requests.mismatch("unread: got %d, want %d", inbox.UnreadCount, len(received))
	}
	marking, err := me.send(ctx, http.MethodPost, "/v1/notifications/mark-all-read", nil, http.StatusOK)
	if err != nil {
		return outcome{}, err
	}
	var marked struct {
		Count int `json:"marked_count"`
	}
	if err := marking.decode(&marked); err != nil {
		return outcome{}, err
	}
	marking.note("%d marked", marked.Count)
	if marked.Count != len(received) {
		a.requests.mismatch("marked as read: got %d, want %d", marked.Count, len(received))
	}
	return outcome{committedAt: marking.sentAt}, nil
}

// readOtherTenant requests an activity that the actor received as their namesake in another tenant.
// The response must equal the one for an id that does not exist.
func readOtherTenant(ctx context.Context, a actors, r recording) (outcome, error) {
	received := a.received(r.tenant, r.actor)
	if len(received) == 0 {
		return outcome{}, fmt.Errorf("%s has received nothing in earlier scenes", r.actor)
	}
	id, unknown := received[0].String(), uuid.Must(uuid.NewV7()).String()
	own, err := a.requests.as(r.tenant, r.actor).get(ctx, "/v1/activities/"+id, http.StatusOK)
	if err != nil {
		return outcome{}, err
	}
	own.note("her own")
	namesake := a.requests.as(borealis, r.actor)
	var problems []map[string]any
	for _, request := range []struct {
		method, path string
		body         any
	}{
		{http.MethodGet, "/v1/activities/" + unknown, nil},
		{http.MethodGet, "/v1/activities/" + id, nil},
		{http.MethodPatch, "/v1/notifications/" + id, map[string]bool{"read": true}},
	} {
		x, err := namesake.send(ctx, request.method, request.path, request.body, http.StatusNotFound)
		if err != nil {
			return outcome{}, err
		}
		var problem map[string]any
		if err := x.decode(&problem); err != nil {
			return outcome{}, err
		}
		maps.DeleteFunc(problem, func(member string, _ any) bool { return member == "request_id" })
		problems = append(problems, problem)
		switch {
		case len(problems) == 1:
			x.note("no such id")
		case reflect.DeepEqual(problem, problems[0]):
			x.note("the same")
		default:
			a.requests.mismatch("%s %s: got %v, want the response for an unknown id: %v",
				request.method, request.path, problem, problems[0])
		}
	}
	return outcome{}, nil
}
