package centrifugo

// PublishByGRPCOnly removes the addresses by HTTP from those that publications go to.
func (c *Client) PublishByGRPCOnly() { c.compared.Store(&ring{endpoints: c.byGRPC}) }
