package stack

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// CPU is the processor time, user and system, of this process, of PostgreSQL with its backends, of
// Centrifugo and of Redis. Without /proc all but the first are zero.
type CPU struct {
	Self       time.Duration
	Postgres   time.Duration
	Centrifugo time.Duration
	Redis      time.Duration
}

// Total returns the sum.
func (c CPU) Total() time.Duration { return c.Self + c.Postgres + c.Centrifugo + c.Redis }

// Since returns the difference from an earlier reading.
func (c CPU) Since(earlier CPU) CPU {
	return CPU{
		c.Self - earlier.Self, c.Postgres - earlier.Postgres, c.Centrifugo - earlier.Centrifugo,
		c.Redis - earlier.Redis,
	}
}

// tick is the unit of times in /proc: USER_HZ, which is 100 on every architecture that Go runs on.
const tick = 10 * time.Millisecond

// ReadCPU reads the processor time of this process and of the servers that it started.
func ReadCPU() CPU {
	var c CPU
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) == nil {
		c.Self = time.Duration(used.Utime.Nano() + used.Stime.Nano())
	}
	all := processes()
	for _, p := range all {
		if p.parent != os.Getpid() {
			continue
		}
		switch {
		case p.name == "postgres":
			c.Postgres += p.own + p.reaped
			for _, backend := range all {
				if backend.parent == p.id {
					c.Postgres += backend.own
				}
			}
		case strings.HasPrefix(p.name, "centrifugo"): // centrifugo-v5, too
			c.Centrifugo += p.own
		case p.name == "redis-server":
			c.Redis += p.own
		}
	}
	return c
}

type procStat struct {
	id, parent  int
	name        string
	own, reaped time.Duration // reaped is of children that have ended
}

func processes() []procStat {
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	found := make([]procStat, 0, len(paths))
	for _, path := range paths {
		if text, err := os.ReadFile(path); err == nil {
			if p, ok := parseStat(string(text)); ok {
				found = append(found, p)
			}
		}
	}
	return found
}

// parseStat parses /proc/pid/stat, see proc(5): pid (name) state parent …, with the times from the
// 14th field on.
func parseStat(text string) (procStat, bool) {
	open, end := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if open < 0 || end < open {
		return procStat{}, false
	}
	rest := strings.Fields(text[end+1:])
	if len(rest) < 15 {
		return procStat{}, false
	}
	number := func(i int) int { n, _ := strconv.Atoi(rest[i]); return n }
	id, err := strconv.Atoi(strings.TrimSpace(text[:open]))
	return procStat{
		id: id, parent: number(1), name: text[open+1 : end],
		own:    time.Duration(number(11)+number(12)) * tick,
		reaped: time.Duration(number(13)+number(14)) * tick,
	}, err == nil
}
