package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/fanfarehq/fanfare/deploy"
	"github.com/fanfarehq/fanfare/internal/devstack"
)

// ConsumerOptions are the options of Centrifugo's own PostgreSQL consumer.
type ConsumerOptions struct {
	DatabaseURL  string
	Table        string
	Partitions   int
	SelectLimit  int
	PollInterval time.Duration
}

// Consumer is a Centrifugo with the production configuration that consumes publications from a
// table.
type Consumer struct {
	APIURL string

	dir     string
	process *devstack.Process
}

// StartConsumer returns when the server answers. Its consumer is connected then.
func StartConsumer(ctx context.Context, o ConsumerOptions) (*Consumer, error) {
	binary, err := devstack.FindCentrifugo("")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "fanfare-bench-")
	if err != nil {
		return nil, err
	}
	c := &Consumer{dir: dir}
	if err := c.start(ctx, binary, o); err != nil {
		return nil, errors.Join(fmt.Errorf("start a consuming Centrifugo: %w", err), c.Stop())
	}
	return c, nil
}

func (c *Consumer) start(ctx context.Context, binary string, o ConsumerOptions) error {
	var ports [2]int
	for i := range ports {
		var err error
		if ports[i], err = freePort(); err != nil {
			return err
		}
	}
	var config map[string]any
	if err := json.Unmarshal([]byte(deploy.CentrifugoV5), &config); err != nil {
		return err
	}
	config["address"], config["port"] = "127.0.0.1", strconv.Itoa(ports[0])
	config["internal_address"], config["internal_port"] = "127.0.0.1", strconv.Itoa(ports[1])
	config["api_insecure"] = true
	config["consumers"] = []any{map[string]any{
		"name": "bench", "type": "postgresql",
		"postgresql": map[string]any{
			"dsn": o.DatabaseURL, "outbox_table_name": o.Table,
			"num_partitions": o.Partitions, "partition_select_limit": o.SelectLimit,
			"partition_poll_interval": o.PollInterval.String(),
		},
	}}
	body, err := json.Marshal(config)
	if err != nil {
		return err
	}
	path := filepath.Join(c.dir, "centrifugo.json")
	if err := os.WriteFile(path, body, 0o600); err != nil {
		return err
	}
	cmd := exec.Command(binary, "--config", path)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	cmd.Dir = c.dir
	if c.process, err = devstack.StartProcess(cmd); err != nil {
		return err
	}
	c.APIURL = fmt.Sprintf("http://127.0.0.1:%d/api", ports[1])
	return c.await(ctx)
}

func (c *Consumer) await(ctx context.Context) error {
	deadline := time.After(20 * time.Second)
	for {
		if _, err := Published(ctx, c.APIURL); err == nil {
			return nil
		}
		select {
		case <-c.process.Done():
			return errors.New("the process ended")
		case <-deadline:
			return errors.New("the server does not answer")
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Stop kills the server and removes its files.
func (c *Consumer) Stop() error {
	if c.process != nil {
		if err := c.process.Kill(); err != nil {
			return err
		}
	}
	return os.RemoveAll(c.dir)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}
