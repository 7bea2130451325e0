package stack

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is the resources that one process uses.
type Usage struct {
	Resident int64         // bytes of memory
	Peak     int64         // the largest Resident since its start
	CPU      time.Duration // user and system together, since its start
}

// ReadUsage reads the usage of a process from /proc, see proc(5).
func ReadUsage(pid int) (Usage, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Usage{}, err
	}
	pages, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return Usage{}, err
	}
	p, ok := parseStat(string(stat))
	fields := strings.Fields(string(pages))
	if !ok || len(fields) < 2 {
		return Usage{}, fmt.Errorf("process %d: unknown format of /proc", pid)
	}
	resident, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return Usage{}, err
	}
	peak, err := readPeak(pid)
	return Usage{Resident: resident * int64(os.Getpagesize()), Peak: peak, CPU: p.own}, err
}

// readPeak reads the field VmHWM of /proc/pid/status.
func readPeak(pid int) (bytes int64, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if value, found := strings.CutPrefix(line, "VmHWM:"); found {
			kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, fmt.Errorf("process %d: unknown format of /proc", pid)
}

// ReadResident returns the memory of the children of this process whose name begins with a prefix.
func ReadResident(prefix string) (bytes int64, err error) {
	for _, p := range processes() {
		if p.parent != os.Getpid() || !strings.HasPrefix(p.name, prefix) {
			continue
		}
		usage, err := ReadUsage(p.id)
		if err != nil {
			return 0, err
		}
		bytes += usage.Resident
	}
	return bytes, nil
}
