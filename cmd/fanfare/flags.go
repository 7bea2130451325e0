package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
)

// errInvalidID is the error of an argument or a flag that must be an id.
var errInvalidID = errors.New("must be a UUID, such as 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f")

// parseID parses an id. It refuses the nil UUID, which means that no id was given.
func parseID(text string) (uuid.UUID, error) {
	id, err := uuid.Parse(text)
	if err != nil || id == uuid.Nil {
		return uuid.Nil, errInvalidID
	}
	return id, nil
}

// parseIDs parses the values of a flag that may be repeated.
func parseIDs(flag string, texts []string) ([]uuid.UUID, error) {
	ids := make([]uuid.UUID, len(texts))
	for i, text := range texts {
		id, err := parseID(text)
		if err != nil {
			return nil, &usageError{fmt.Sprintf("%s %q: %v", flag, text, err)}
		}
		ids[i] = id
	}
	return ids, nil
}

// idArgument requires exactly one argument, the id of what is named, such as a token.
func idArgument(name string, id *uuid.UUID) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) (err error) {
		if len(args) != 1 {
			return &usageError{fmt.Sprintf("exactly one argument is required: the id of the %s", name)}
		}
		if *id, err = parseID(args[0]); err != nil {
			return &usageError{fmt.Sprintf("%s %q: %v", name, args[0], err)}
		}
		return nil
	}
}

// requireTenant requires the flag --tenant.
func requireTenant(tenant uuid.UUID) error {
	if tenant == uuid.Nil {
		return &usageError{"--tenant is required"}
	}
	return nil
}

// uuidValue is the value of a flag: an id.
type uuidValue struct{ id *uuid.UUID }

func (v *uuidValue) Type() string { return "uuid" }

func (v *uuidValue) String() string {
	if v.id == nil || *v.id == uuid.Nil {
		return ""
	}
	return v.id.String()
}

func (v *uuidValue) Set(text string) error {
	id, err := parseID(text)
	*v.id = id
	return err
}

// daysValue is the value of a flag: a duration, which may be in days.
type daysValue struct{ d *time.Duration }

func (v *daysValue) Type() string { return "duration" }

func (v *daysValue) String() string {
	const day = 24 * time.Hour
	switch {
	case v.d == nil || *v.d == 0:
		return ""
	case *v.d%day == 0:
		return fmt.Sprintf("%dd", *v.d/day)
	}
	return v.d.String()
}

func (v *daysValue) Set(text string) error {
	d, err := parseDuration(text)
	if err != nil {
		return errors.New("must be a duration, such as 12h or 90d")
	}
	*v.d = d
	return nil
}

// parseDuration parses a duration that may be in days, such as 90d.
func parseDuration(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err
	}
	return time.ParseDuration(text)
}

// timeValue is the value of a flag: a point in time.
type timeValue struct {
	at  *time.Time
	now time.Time
}

func (v *timeValue) Type() string { return "time" }

func (v *timeValue) String() string {
	if v.at == nil || v.at.IsZero() {
		return ""
	}
	return v.at.UTC().Format(time.RFC3339)
}

func (v *timeValue) Set(text string) (err error) {
	*v.at, err = parseTime(text, v.now)
	return err
}

// parseTime parses a time (RFC 3339), a date, which means its midnight in UTC, or a duration, which
// means the time that long before now.
func parseTime(text string, now time.Time) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	ago, err := parseDuration(text)
	if err != nil || ago < 0 {
		return time.Time{}, errors.New(
			"must be a time such as 2026-02-03T04:05:06Z, a date such as 2026-02-03, or an age such as 24h or 7d")
	}
	return now.Add(-ago), nil
}
