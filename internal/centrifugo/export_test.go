package centrifugo

// PublishByGRPCOnly removes the addresses by HTTP from those that publications go to.
func (c *Client) PublishByGRPCOnly() {
	c.routed.Store(true)
	c.publishing.endpoints = c.publishing.endpoints[:len(c.publishing.endpoints)-len(c.api.endpoints)]
}
