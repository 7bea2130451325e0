// Command sample is the example in Go that fanfare dev prints. It records an activity, prints the
// inbox, or prints activities as they happen.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/outbox"
)

func main() {
	command, err := "", error(nil)
	if len(os.Args) == 2 {
		command = os.Args[1]
	}
	switch command {
	case "record":
		err = record(context.Background())
	case "inbox":
		err = inbox()
	case "listen":
		err = listen()
	default:
		err = fmt.Errorf("usage: sample record | inbox | listen")
	}
	if err != nil {
		log.Fatal(err)
	}
}

// record changes a project and records that, in one transaction.
func record(ctx context.Context) error {
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		return err
	}
	defer pool.Close()
	project := uuid.MustParse(os.Getenv("PROJECT"))
	_, recorded, err := outbox.TxActivity(ctx, pool, activity.Envelope{
		TenantID: uuid.MustParse(os.Getenv("TENANT")), ActorPrincipalID: uuid.MustParse(os.Getenv("ADA")),
		ResourceID: project, ResourceType: "project", Action: "project.updated", Message: "Hello from Go",
	}, func(ctx context.Context, tx pgx.Tx, _ *activity.Envelope) (struct{}, error) {
		_, err := tx.Exec(ctx, `UPDATE projects SET status = 'green' WHERE id = $1`, project)
		return struct{}{}, err
	})
	if err == nil {
		fmt.Println("recorded", recorded.ID)
	}
	return err
}

// event is the part of an event that is printed.
type event struct {
	Action  string `json:"action"`
	UIHints struct {
		Summary string `json:"summary"`
	} `json:"ui_hints"`
}

// inbox prints the newest notifications.
func inbox() error {
	response, err := get("/notifications?limit=3")
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	var page struct {
		Items []struct {
			Event event `json:"event"`
		} `json:"items"`
	}
	if err := json.NewDecoder(response.Body).Decode(&page); err != nil {
		return err
	}
	for _, item := range page.Items {
		fmt.Println(item.Event.Action, "-", item.Event.UIHints.Summary)
	}
	return nil
}

// listen prints the tenant's activities as they happen, from a stream of server-sent events.
func listen() error {
	response, err := get("/activities/stream")
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	for kind := ""; lines.Scan(); {
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			kind = name
		}
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && kind == "activity" {
			var e event
			if err := json.Unmarshal([]byte(data), &e); err != nil {
				return err
			}
			fmt.Println(e.Action, "-", e.UIHints.Summary)
		}
	}
	return lines.Err()
}

func get(path string) (*http.Response, error) {
	request, err := http.NewRequest(http.MethodGet, os.Getenv("API")+path, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("TOKEN"))
	response, err := http.DefaultClient.Do(request)
	if err == nil && response.StatusCode != http.StatusOK {
		_ = response.Body.Close()
		return nil, fmt.Errorf("GET %s: %s", path, response.Status)
	}
	return response, err
}
