package daemon

import (
	"context"
	"slices"
	"sync"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/api"
	"github.com/fanfarehq/fanfare/internal/identity"
)

// serveCells adds the APIs of the cells, and the router before them.
func (d *Daemon) serveCells(ctx context.Context, parts *apiParts) (err error) {
	if d.placement, err = d.newPlacement(ctx); err != nil {
		return err
	}
	d.actors = append(d.actors, d.placement.run)
	byName := map[string]servedCell{}
	var claimed *identity.Authenticator // reads the same credentials in every cell
	var servers []*api.Server
	anyReady := make(chan struct{})
	oneIsReady := sync.OnceFunc(func() { close(anyReady) })
	for _, c := range d.cells {
		name := c.name()
		server, authenticator, err := c.newServer(parts, func(tenant uuid.UUID) bool {
			return d.placement.Of(tenant) == name
		})
		if err != nil {
			return err
		}
		claimed, servers, byName[name] = authenticator, append(servers, server), servedCell{c, server}
		d.actors = append(d.actors, func(ctx context.Context) error {
			defer oneIsReady()
			return c.becomeReady(ctx)
		})
	}
	router := &api.Router{
		Claimed: claimed.ClaimedTenant,
		Of:      func(ctx context.Context, tenant uuid.UUID) *api.Server { return d.serverOf(ctx, byName, tenant) },
		Any: func(ctx context.Context) *api.Server {
			select {
			case <-anyReady:
			case <-ctx.Done():
			}
			return d.anyServer(byName)
		},
		Servers:     servers,
		Connections: parts.limits.Connections,
		Logger:      d.log,
	}
	d.actors = append(d.actors, func(ctx context.Context) error {
		d.logServing()
		return router.Run(ctx, d.apiListener)
	})
	return nil
}

// servedCell is a cell and its API.
type servedCell struct {
	*cell
	server *api.Server
}

// becomeReady permits requests of the cell's tenants after the first attempt to load the taxonomy's
// texts. Until then they wait, and those of other cells do not.
func (c *cell) becomeReady(ctx context.Context) error {
	defer close(c.ready)
	return c.afterCatalogReady(func(context.Context) error { return nil })(ctx)
}

// serverOf returns the API of the cell that a tenant belongs to, or nil if it belongs to none that
// is served here.
func (d *Daemon) serverOf(ctx context.Context, byName map[string]servedCell, tenant uuid.UUID) *api.Server {
	d.placement.Await(ctx, tenant)
	served, ok := byName[d.placement.Of(tenant)]
	if !ok {
		return nil
	}
	select {
	case <-served.ready:
	case <-ctx.Done():
	}
	return served.server
}

// anyServer returns the API of the first cell that is ready, or else of the first.
func (d *Daemon) anyServer(byName map[string]servedCell) *api.Server {
	i := slices.IndexFunc(d.cells, func(c *cell) bool {
		select {
		case <-c.ready:
			return len(c.monitor.Problems()) == 0
		default:
			return false
		}
	})
	return byName[d.cells[max(0, i)].name()].server
}
