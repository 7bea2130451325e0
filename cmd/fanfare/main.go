// Command fanfare runs Fanfare's daemons and operates an installation.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	// The root certificates that the program trusts where the system has none, as in its image.
	_ "golang.org/x/crypto/x509roots/fallback"
