package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestAPartThatFailsDoesNotPreventTheOthers(t *testing.T) {
	t.Parallel()
	failed := errors.New("no server")
	var r compareResult
	var measured []string
	r.measureAll(t.Context(), []string{"a", "b"}, func(part string) error {
		measured = append(measured, part)
		if part == "a" {
			return failed
		}
		return nil
	})
	if want := []string{"a", "b"}; !slices.Equal(measured, want) {
		t.Errorf("got the parts %v, want %v", measured, want)
	}
	if want := []string{"a: no server"}; !slices.Equal(r.Failures, want) || !errors.Is(r.verify(), failed) {
		t.Errorf("got the failures %v and the error %v, want %v", r.Failures, r.verify(), want)
	}
	if got := string(r.markdown()); !strings.Contains(got, "Failed: a: no server") {
		t.Errorf("got the report %q, want the failure", got)
	}
}

func TestNoPartIsMeasuredAfterAnInterrupt(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var r compareResult
	r.measureAll(ctx, []string{"a", "b"}, func(string) error { cancel(); return nil })
	if want := []string{"b: context canceled"}; !slices.Equal(r.Failures, want) {
		t.Errorf("got the failures %v, want %v", r.Failures, want)
	}
}
