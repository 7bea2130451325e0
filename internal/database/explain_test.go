package database

import (
	"errors"
	"testing"
)

func TestOneLine(t *testing.T) {
	t.Parallel()
	got := OneLine(errors.New("failed to connect:\n\t::1: refused\n\t127.0.0.1: refused\n\t::1: refused"))
	if want := "failed to connect: ::1: refused 127.0.0.1: refused"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
